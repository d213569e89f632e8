"""Writes index.html into the folder of `make demo`: every page, what it shows, and one picture of it.

usage: python -m tools.demo_index FOLDER
"""

from __future__ import annotations

import html as entities
import sys
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from markupsafe import Markup

from pipeline import images
from pipeline.errors import CmdTirError
from pipeline.images import Rgb
from pipeline.pages import html
from pipeline.pages.drawing import fit_width
from tools.page_pictures import bytes_of, find, picture


class Card(NamedTuple):
    """What the index tells of a page.

    Attributes:
        step: that made it.
        shows: what it shows.
        called: how the text of the picture that stands for it begins; without one, its first plot does.
    """

    step: str
    shows: str
    called: str = ""


PAGES = {
    "aligned/report.html": Card("align", "pairs before and after alignment, scores, rejects", "checkerboard, after"),
    "shards/center/report.html": Card(
        "mine", "paired patches with pseudo box and label, center", "around the box, RGB"
    ),
    "shards/random/report.html": Card("mine", "the same, random regions", "around the box, RGB"),
    "shards/detection/report.html": Card("mine", "the same, boxes of people, cars and dogs", "around the box, TIR"),
    "feeds.html": Card(
        "train", "what row d3 and its controls would feed the two branches of these pairs, and the label", "test:"
    ),
    "student/report.html": Card(
        "train", "the student: targets that it has not seen, before and after, and losses", "response after"
    ),
    "report/report.html": Card(
        "evaluate", "student, teacher and two yardsticks on synthetic TIR: who holds a target, and how sure that is"
    ),
}
TRACKED = "results/student/frames/person_S_001/0060.jpg"
WIDTH = 360


def build(folder: Path) -> str:
    """The page that leads to all pages of the demo.

    Raises:
        DataError: one of them is not there, or lacks its picture.
    """
    *sections, last = [_section(folder, name, card) for name, card in PAGES.items()]
    subtitle = "From synthetic RGB-TIR pairs to a tracker, step by step; docs/cmd.md says what each step is for."
    return html.render("Demo", subtitle, [], [*sections, _tracked(folder), last])


def _section(folder: Path, name: str, card: Card) -> html.Section:
    title = f"{card.step}: {entities.unescape(find('<title>(.*?)</title>', folder / name)[1])}"
    if card.called:
        shown = picture(folder / name, card.called)
        return html.Section(title, card.shows, strips=[_strip(shown.picture, shown.called)], href=name)
    plot = Markup(find(r"<svg.*?</svg>", folder / name)[0])  # noqa: S704 - matplotlib escapes the text it draws
    return html.Section(title, card.shows, plots=[plot], href=name)


def _tracked(folder: Path) -> html.Section:
    """The last frame of a sequence, as it was tracked."""
    file = folder / TRACKED
    frame = images.decode_rgb(bytes_of(file), str(file))
    return html.Section(
        "track: the student's boxes",
        f"all frames are in {PurePosixPath(TRACKED).parents[1]}",
        strips=[_strip(frame, "truth yellow, tracker blue")],
        href=TRACKED,
    )


def _strip(shown: Rgb, caption: str) -> html.Strip:
    return html.Strip("", [html.Picture(html.picture_uri(fit_width(shown, WIDTH)), caption)])


if __name__ == "__main__":
    out = Path(sys.argv[1])
    try:
        html.save(build(out), out / "index.html")
    except CmdTirError as error:
        sys.exit(f"error: {error}")
    for name, card in PAGES.items():
        sys.stdout.write(f"  {name:<34} {card.shows}\n")
