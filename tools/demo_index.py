"""Writes index.html into the folder of `make demo`: every page, what it shows, and one picture of it.

usage: python -m tools.demo_index FOLDER
"""

from __future__ import annotations

import base64
import html as entities
import re
import sys
from pathlib import Path

from markupsafe import Markup

from pipeline import images
from pipeline.errors import CmdTirError, DataError
from pipeline.pages import html
from pipeline.pages.drawing import fit_width

PAGES = {
    "aligned/report.html": ("pairs before and after alignment, scores, rejects", "checkerboard, after"),
    "shards/center/report.html": ("paired patches with pseudo box and label, center", "around the box, RGB"),
    "shards/random/report.html": ("the same, random regions", "around the box, RGB"),
    "shards/detection/report.html": ("the same, boxes of people and cars", "around the box, TIR"),
    "feeds.html": ("what row d3 and its controls would feed the two branches of these pairs, and the label", "test:"),
    "student/report.html": ("the student: losses, and targets that it has not seen, before and after", ""),
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


def _section(folder: Path, name: str, shows: str, picture: str) -> html.Section:
    try:
        page = (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{folder / name}: {error.strerror}: run make demo again") from error
    title = entities.unescape(page.partition("<title>")[2].partition("</title>")[0])
    plots: list[Markup] = []
    strips: list[html.Strip] = []
    if picture:
        found = _find(
            rf'<img src="data:image/\w+;base64,([^"]+)" alt="({re.escape(picture)}[^"]*)"', page, folder / name
        )
        small = fit_width(images.decode_rgb(base64.b64decode(found[1]), name), WIDTH)
        strips.append(html.Strip("", [html.Picture(html.picture_uri(small), entities.unescape(found[2]))]))
    else:
        plot = _find(r"<svg.*?</svg>", page, folder / name)[0]
        plots.append(Markup(plot))  # noqa: S704 - matplotlib escapes the text it draws
    return html.Section(title, shows, plots=plots, strips=strips, href=name)


def _find(pattern: str, page: str, path: Path) -> re.Match[str]:
    if found := re.search(pattern, page, re.DOTALL):
        return found
    raise DataError(f"{path} lacks the picture that stands for it: correct PAGES in tools/demo_index.py")


if __name__ == "__main__":
    out = Path(sys.argv[1])
    try:
        html.save(build(out), out / "index.html")
    except CmdTirError as error:
        sys.exit(f"error: {error}")
    for name, (shows, _) in PAGES.items():
        sys.stdout.write(f"  {name:<34} {shows}\n")
