"""Draws docs/pictures/overview.jpg, the README's picture, from what `make demo` made: what each step does, at a glance.

usage: python -m tools.overview DEMO [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from pipeline import images
from pipeline.errors import CmdTirError
from pipeline.files.writing import write_bytes
from pipeline.images import Rgb
from pipeline.pages.html import INK, png
from tools.page_pictures import bytes_of, picture

OUT = Path("docs/pictures/overview.jpg")
HEIGHT, GAP, HEAD, FOOT = 250, 14, 58, 26
"""Pixels: of a picture, beside it, above a column and below a picture."""
DPI, QUALITY = 100, 84
SEQUENCE, FRAMES = "person_S_001", (20, 60)


class Shown(NamedTuple):
    """A picture of a page: which of those called so, and what it shows; the right half is of ``after``, if any."""

    page: str
    called: str
    place: int
    caption: str
    after: str = ""


COLUMNS = {
    ("1  align", "RGB and TIR square by square"): (
        Shown("aligned/report.html", "checkerboard, after", 2, "after: lines go on from square to square"),
        Shown("aligned/report.html", "edges, before", 2, "edges: left before, right after", "edges, after"),
    ),
    ("2  mine", "one thing in both, without labels"): (
        Shown("shards/detection/report.html", "around the box, RGB", 0, "a pseudo box in RGB"),
        Shown("shards/detection/report.html", "around the box, TIR", 0, "the same box in TIR"),
    ),
    ("3  train", "on pairs never seen, TIR alone"): (
        Shown("student/report.html", "test", 0, "where is it? (truth green)"),
        Shown("student/report.html", "response after", 0, "the student's answer"),
    ),
}
"""Head and what it means -> the pictures below; the frames that were tracked are another column."""
TRACKED = ("4  track", "truth yellow, tracker blue")


def columns(demo: Path) -> dict[tuple[str, str], list[tuple[str, Rgb]]]:
    """What is shown: heads of columns -> captions and pictures.

    Raises:
        DataError: a page or a picture is not there.
    """
    shown = {head: [(each.caption, _tile(demo, each)) for each in below] for head, below in COLUMNS.items()}
    frames = {number: demo / f"results/student/frames/{SEQUENCE}/{number:04d}.jpg" for number in FRAMES}
    shown[TRACKED] = [
        (f"frame {number}", images.decode_rgb(bytes_of(frame), str(frame))) for number, frame in frames.items()
    ]
    return shown


def _tile(demo: Path, shown: Shown) -> Rgb:
    tile = picture(demo / shown.page, shown.called, index=shown.place).picture.copy()
    if shown.after:
        middle = tile.shape[1] // 2
        tile[:, middle:] = picture(demo / shown.page, shown.after, index=shown.place).picture[:, middle:]
        tile[:, middle - 1 : middle + 1] = 255
    return tile


def draw(demo: Path) -> bytes:
    """The picture, a JPEG file.

    Raises:
        DataError: a page or a picture is not there.
    """
    shown = columns(demo)
    widths = [round(HEIGHT * max(p.shape[1] / p.shape[0] for _, p in below)) for below in shown.values()]
    rows = max(map(len, shown.values()))
    width, height = sum(widths) + GAP * (len(widths) + 1), HEAD + rows * (HEIGHT + FOOT)
    canvas = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    left = GAP
    for ((head, means), below), room in zip(shown.items(), widths, strict=True):
        canvas.text(left / width, 1 - 24 / height, head, size=13, weight="bold", color=INK)
        canvas.text(left / width, 1 - 45 / height, means, size=9.5, color=INK)
        for row, (caption, tile) in enumerate(below):
            top = HEAD + row * (HEIGHT + FOOT)
            axes = canvas.add_axes((left / width, 1 - (top + HEIGHT) / height, room / width, HEIGHT / height))
            axes.imshow(tile, aspect="auto", interpolation="lanczos")
            axes.set_axis_off()
            canvas.text(left / width, 1 - (top + HEIGHT + 17) / height, caption, size=9, color=INK)
        left += room + GAP
    return images.encode(images.decode_rgb(png(canvas, DPI), "overview"), ".jpg", QUALITY)


if __name__ == "__main__":
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else OUT
    try:
        write_bytes(out, draw(Path(sys.argv[1])))
    except CmdTirError as error:
        sys.exit(f"error: {error}")
