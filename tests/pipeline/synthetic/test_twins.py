"""Tracking sequences as the visible camera sees them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.images import decode_rgb
from pipeline.synthetic import SynthConfig, run, sequences
from trainer.sequences import load_benchmark, load_data_set

Made = tuple[Path, dict[str, object]]
SIZE = (320, 256)


@pytest.fixture(scope="module")
def twins(small: SynthConfig, tmp_path_factory: pytest.TempPathFactory) -> Made:
    out = tmp_path_factory.mktemp("twins") / "data"
    return out, run(small.model_copy(update={"out": out, "sequences": 0, "tracking_rgb": True}))


def _files(root: Path, pattern: str) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob(pattern))}


def test_twins_have_the_names_boxes_and_attributes_of_the_thermal_ones(twins: Made) -> None:
    out, summary = twins
    thermal, visible = out / "tracking", out / "tracking_rgb"
    assert _files(visible, "*.txt") == _files(thermal, "*.txt") != {}
    assert _files(visible, "*.jpg").keys() == _files(thermal, "*.jpg").keys()
    assert summary["tracking_rgb_frames"] == len(_files(visible, "*.jpg")) == 6
    assert summary["bytes"] == sum(path.stat().st_size for path in out.rglob("*.jpg"))
    picture = decode_rgb((visible / "person_S_001/img/0001.jpg").read_bytes(), "rgb")
    assert np.ptp(picture.astype(int), axis=2).mean() > 4, "in colour"


def test_thermal_sequences_are_the_same_without_their_twins(twins: Made, made: Made) -> None:
    assert _files(twins[0] / "tracking", "*.*") == _files(made[0] / "tracking", "*.*")


@pytest.mark.slow
def test_twins_are_the_same_with_any_workers(twins: Made, small: SynthConfig, tmp_path: Path) -> None:
    changes = {"out": tmp_path, "sequences": 0, "tracking": 2, "tracking_rgb": True, "workers": 2}
    run(small.model_copy(update=changes))
    again = _files(tmp_path / "tracking_rgb", "person_S_001/img/*.jpg")
    assert again == _files(twins[0] / "tracking_rgb", "person_S_001/img/*.jpg")


def test_overwriting_without_twins_leaves_none(small: SynthConfig, tmp_path: Path) -> None:
    tiny = {"sequences": 0, "tracking_frames": 2, "size": (96, 96), "out": tmp_path, "overwrite": True}
    run(small.model_copy(update={**tiny, "tracking_rgb": True}))
    assert (tmp_path / "tracking_rgb").is_dir()
    run(small.model_copy(update=tiny))
    assert not (tmp_path / "tracking_rgb").exists()


def test_tracking_and_evaluation_read_twins_as_any_sequences(twins: Made) -> None:
    root = twins[0] / "tracking_rgb"
    (clip,) = load_data_set("tir_sequences", root).clips
    assert (clip.name, len(clip.pictures), clip.truth.shape) == ("person_S_001", 6, (6, 4))
    benchmark = load_benchmark("tir_sequences", root)
    assert benchmark.sequences == ("person_S_001",)
    assert benchmark.attributes["surveillance"].all()


def _edges(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    grey = picture.astype(float)
    return np.hypot(np.diff(grey, axis=1)[:-1], np.diff(grey, axis=0)[:, :-1]) > 14


@pytest.mark.parametrize("index", [1, 4, 6])
def test_a_twin_has_its_outlines_at_the_same_pixels(index: int) -> None:
    shot = sequences.tracking_frame(2, index, 1, SIZE, twin=True)
    assert shot.rgb is not None
    tir, rgb = _edges(shot.tir), _edges(shot.rgb.mean(axis=2).astype(np.uint8))
    middle = tir[8:-8, 8:-8]

    def common(x: int, y: int) -> int:
        return int((middle & rgb[8 + y : rgb.shape[0] - 8 + y, 8 + x : rgb.shape[1] - 8 + x]).sum())

    best = max(((x, y) for x in range(-4, 5) for y in range(-4, 5)), key=lambda at: common(*at))
    assert max(map(abs, best)) <= 1
