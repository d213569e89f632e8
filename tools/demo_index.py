"""Writes index.html into the folder of `make demo`: every page, what it shows, and one picture of it.

usage: python -m tools.demo_index FOLDER
"""

from __future__ import annotations

import html as entities
import sys
from pathlib import Path

from markupsafe import Markup

from pipeline.errors import CmdTirError
from pipeline.pages import html
from pipeline.pages.drawing import fit_width
from tools.page_pictures import find, picture

PAGES = {
    "aligned/report.html": ("pairs before and after alignment, scores, rejects", "checkerboard, after"),
    "shards/center/report.html": ("paired patches with pseudo box and label, center", "around the box, RGB"),
    "shards/random/report.html": ("the same, random regions", "around the box, RGB"),
    "shards/detection/report.html": ("the same, boxes of people, cars and dogs", "around the box, TIR"),
    "feeds.html": ("what row d3 and its controls would feed the two branches of these pairs, and the label", "test:"),
    "student/report.html": ("the student: targets it has not seen, before and after, and losses", "response after"),
    "report/report.html": (
        "student, teacher and two yardsticks on synthetic TIR: who holds a target, and how sure that is",
        "",
    ),
}
"""What each page shows, and how the text of the picture that stands for it begins; without one, its first plot."""
WIDTH = 360


def build(folder: Path) -> str:
    """The page that leads to all pages of the demo.

    Raises:
        DataError: one of them is not there, or lacks its picture.
    """
    sections = [_section(folder, name, *told) for name, told in PAGES.items()]
    return html.render("Demo", "From synthetic RGB-TIR pairs to a tracker, step by step.", [], sections)


def _section(folder: Path, name: str, shows: str, called: str) -> html.Section:
    title = entities.unescape(find("<title>(.*?)</title>", folder / name)[1])
    if called:
        shown = picture(folder / name, called)
        small = html.picture_uri(fit_width(shown.picture, WIDTH))
        return html.Section(title, shows, strips=[html.Strip("", [html.Picture(small, shown.called)])], href=name)
    plot = Markup(find(r"<svg.*?</svg>", folder / name)[0])  # noqa: S704 - matplotlib escapes the text it draws
    return html.Section(title, shows, plots=[plot], href=name)


if __name__ == "__main__":
    out = Path(sys.argv[1])
    try:
        html.save(build(out), out / "index.html")
    except CmdTirError as error:
        sys.exit(f"error: {error}")
    for name, (shows, _) in PAGES.items():
        sys.stdout.write(f"  {name:<34} {shows}\n")
