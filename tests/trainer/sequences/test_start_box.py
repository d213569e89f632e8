"""Boxes to start with that cannot be of their picture are refused, and doubtful ones told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DataError
from trainer.sequences.dataset import load_data_set

from ..track_world import SIZE, write_sequence

W, H = SIZE


def load(folder: Path, *rows: tuple[float, ...]) -> tuple[str, ...]:
    """What is said of a sequence whose truth begins with ``rows``."""
    sequence = write_sequence(folder, "dog")
    file = sequence / "groundtruth_rect.txt"
    kept = file.read_text().splitlines()[len(rows) :]
    file.write_text("\n".join([*(",".join(map(str, row)) for row in rows), *kept]))
    found = load_data_set("tir_sequences", folder)
    if found.faults:
        assert list(found.faults) == ["dog"]
        raise DataError(found.faults["dog"])
    return found.warnings


@pytest.mark.parametrize(
    "box", [(1, 1, 8, 6), (W - 6, H - 5, 8, 6), (1, 1, W, H), (W - 8, 1, 12, 6), (10.5, 3.25, 1, 1), (1, 1, W + 2, H)]
)
def test_a_box_that_may_be_of_its_picture_is_not_spoken_of(tmp_path: Path, box: tuple[float, ...]) -> None:
    assert load(tmp_path, box) == ()


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((W, 10, 8, 6), f"the box {W},10,8,6 is outside of its picture of {W}x{H} (1.png): correct it to x,y,w,h"),
        ((10, H + 200, 8, 6), "is outside of its picture"),
        ((float("inf"), 10, 8, 6), "is not finite"),
        ((1, 1, 2 * W + 1, 6), "is far larger than its picture"),
        ((1, 1, 30 * W, 30 * H), f"the box 1,1,{30 * W},{30 * H} is far larger than its picture of {W}x{H} (1.png)"),
        ((1, 1, 8, float("inf")), "the box 1,1,8,inf is not finite: correct it to x,y,w,h in pixels of 1.png"),
    ],
)
def test_a_box_that_cannot_be_of_its_picture_is_refused(tmp_path: Path, box: tuple[float, ...], said: str) -> None:
    with pytest.raises(DataError) as told:
        load(tmp_path, box)
    assert str(told.value).startswith(f"{tmp_path / 'dog/groundtruth_rect.txt'}:1: ")
    assert said in str(told.value)


@pytest.mark.parametrize("box", [(1, 1, 1.5 * W, 6), (W - 3, 10, 8, 6), (W / 2, H / 2, W, H), (1, 1, 8, 1.2 * H)])
def test_a_doubtful_box_is_told_and_tracked(tmp_path: Path, box: tuple[float, ...]) -> None:
    (line,) = load(tmp_path, box)
    assert line.startswith(f"dog: {tmp_path / 'dog/groundtruth_rect.txt'}:1: the box ")
    assert f"reaches far beyond its picture of {W}x{H} (1.png): is it x,y,w,h in pixels" in line


def test_the_row_is_that_of_the_frame_it_starts_in(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"groundtruth_rect\.txt:3: .* outside of its picture of \S+ \(3\.png\)"):
        load(tmp_path, (0, 0, 0, 0), (0, 0, 0, 0), (900, 10, 8, 6))


def test_a_first_picture_that_cannot_be_read_is_told_when_it_is_tracked(tmp_path: Path) -> None:
    (write_sequence(tmp_path, "dog") / "img/1.png").write_bytes(b"")
    found = load_data_set("tir_sequences", tmp_path)
    assert [clip.name for clip in found.clips] == ["dog"]


@pytest.mark.parametrize("box", [(0.2, 0.3, 0.1, 0.2), (10, 10, 0.5, 6)])
def test_a_box_of_less_than_a_pixel_is_told_as_of_fractions(tmp_path: Path, box: tuple[float, ...]) -> None:
    (line,) = load(tmp_path, box)
    assert f"is less than a pixel of its picture of {W}x{H} (1.png): is it x,y,w,h in pixels" in line
