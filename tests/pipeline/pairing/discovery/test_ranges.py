"""The 16-bit range belongs to the sequence."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.manifests import Percentiles
from pipeline.pairing.discovery.ranges import sequence_range
from pipeline.records import PairFiles


def sequence(root: Path, images: list[np.ndarray], suffix: str = ".png") -> list[PairFiles]:
    rows = []
    for i, image in enumerate(images):
        (root / f"{i}{suffix}").write_bytes(cv2.imencode(suffix, image)[1].tobytes())
        rows.append(
            PairFiles(pair_id=f"s/{i}", sequence="s", frame=str(i), camera="s", rgb="x.jpg", tir=f"{i}{suffix}")
        )
    return rows


def frame(low: int, high: int) -> np.ndarray:
    return np.linspace(low, high, 64 * 80).reshape(64, 80).astype(np.uint16)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_percentiles_are_of_all_frames_together(tmp_path: Path, suffix: str) -> None:
    pairs = sequence(tmp_path, [frame(20000, 21000), frame(23000, 24000)], suffix)
    low, high = sequence_range(tmp_path, pairs, Percentiles(percentiles=(0, 100))) or (0, 0)
    assert low == pytest.approx(20000, abs=20)
    assert high == pytest.approx(24000, abs=80)
    alone = sequence_range(tmp_path, pairs[:1], Percentiles(percentiles=(0, 100))) or (0, 0)
    assert alone[1] < 21100


def test_fixed_range_is_kept(tmp_path: Path) -> None:
    assert sequence_range(tmp_path, sequence(tmp_path, [frame(1, 9000)]), (100.0, 200.0)) == (100.0, 200.0)


def test_eight_bits_need_no_range(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg"):
        pairs = sequence(tmp_path, [np.zeros((8, 8), np.uint8)], suffix)
        assert sequence_range(tmp_path, pairs, (1.0, 2.0)) is None
    assert sequence_range(tmp_path, [], Percentiles()) is None


def test_damaged_frames_are_passed_over(tmp_path: Path) -> None:
    pairs = sequence(tmp_path, [frame(100, 200), frame(100, 200)])
    (tmp_path / "0.png").write_bytes(b"no picture")
    low, high = sequence_range(tmp_path, pairs, Percentiles(percentiles=(0, 100))) or (0, 0)
    assert (round(low), round(high)) == (100, pytest.approx(200, abs=5))


def test_constant_frames_give_a_range_that_can_be_divided_by(tmp_path: Path) -> None:
    assert sequence_range(tmp_path, sequence(tmp_path, [np.full((8, 8), 7000, np.uint16)]), Percentiles()) == (
        7000.0,
        7001.0,
    )


def test_frames_that_show_nothing_do_not_narrow_the_range_of_the_others(tmp_path: Path) -> None:
    shutter = np.full((64, 80), 65535, np.uint16)
    pairs = sequence(tmp_path, [shutter, frame(20000, 21000), shutter])
    low, high = sequence_range(tmp_path, pairs, Percentiles(percentiles=(0, 100))) or (0, 0)
    assert (round(low), round(high)) == (20000, pytest.approx(21000, abs=80))


def test_a_sequence_is_as_deep_as_most_of_its_frames(tmp_path: Path) -> None:
    shallow = np.zeros((8, 8), np.uint8)
    assert sequence_range(tmp_path, sequence(tmp_path, [frame(1, 900), shallow, frame(1, 900)]), (1.0, 2.0))
    assert sequence_range(tmp_path, sequence(tmp_path, [shallow, frame(1, 900), shallow]), (1.0, 2.0)) is None


def test_floating_point_values_need_a_range_that_is_given(tmp_path: Path) -> None:
    pairs = sequence(tmp_path, [frame(1, 900).astype(np.float32) / 9], ".tiff")
    assert sequence_range(tmp_path, pairs, Percentiles()) is None
    assert sequence_range(tmp_path, pairs, (1.0, 2.0)) == (1.0, 2.0)
