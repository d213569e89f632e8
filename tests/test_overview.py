"""The README's picture is made of what the pages of the demo show, and names what is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline import images
from pipeline.errors import DataError
from pipeline.pages import html
from tools import overview

SIDE = 40
COLOURS = {
    "checkerboard, after": (200, 0, 0),
    "edges, before": (0, 200, 0),
    "edges, after": (0, 0, 200),
    "around the box, RGB": (200, 200, 0),
    "around the box, TIR": (0, 200, 200),
    "test": (200, 0, 200),
    "response after": (90, 90, 90),
}


def plain(colour: tuple[int, int, int]) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return np.full((SIDE, SIDE, 3), colour, np.uint8)


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A demo whose pages show plain colours: what is taken is right, all before it is black."""
    for name in {each.page for below in overview.COLUMNS.values() for each in below}:
        wanted = [each for below in overview.COLUMNS.values() for each in below if each.page == name]
        strips = [
            html.Strip("", [html.Picture(html.picture_uri(plain(shown)), called)])
            for each in wanted
            for called in filter(None, (each.called, each.after))
            for shown in [(0, 0, 0)] * each.place + [COLOURS[called]]
        ]
        html.save(html.render(name, "", [], [html.Section("", strips=strips)]), tmp_path / name)
    frames = tmp_path / "results/student/frames" / overview.SEQUENCE
    frames.mkdir(parents=True)
    for number in overview.FRAMES:
        (frames / f"{number:04d}.jpg").write_bytes(images.encode(plain((number, 120, 250)), ".jpg"))
    return tmp_path


def test_every_picture_stands_in_its_place(demo: Path) -> None:
    drawn = images.decode_rgb(overview.draw(demo), "overview").astype(int)
    step, below = overview.HEIGHT + overview.GAP, overview.HEIGHT + overview.FOOT

    def at(column: int, row: int, across: float = 0.5) -> list[int]:
        x = overview.GAP + column * step + round(across * overview.HEIGHT)
        return list(drawn[overview.HEAD + row * below + overview.HEIGHT // 2, x])

    places = {(0, 0): "checkerboard, after", (1, 0): "around the box, RGB", (1, 1): "around the box, TIR"}
    places |= {(2, 0): "test", (2, 1): "response after"}
    for place, called in places.items():
        assert at(*place) == pytest.approx(COLOURS[called], abs=8)
    assert at(0, 1, 0.25) == pytest.approx(COLOURS["edges, before"], abs=8)
    assert at(0, 1, 0.75) == pytest.approx(COLOURS["edges, after"], abs=8)
    assert [at(3, row)[0] for row in (0, 1)] == pytest.approx(overview.FRAMES, abs=8)


def test_what_is_missing_is_named(demo: Path) -> None:
    (demo / f"results/student/frames/{overview.SEQUENCE}/0060.jpg").unlink()
    with pytest.raises(DataError, match=r"0060\.jpg: No such file or directory: run make demo again"):
        overview.draw(demo)
    (demo / "student/report.html").write_text("")
    with pytest.raises(DataError, match=r"student/report\.html lacks the picture"):
        overview.draw(demo)
