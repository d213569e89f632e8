"""Known matrices handed in: applied unseen at ``--min-score 0``, and what `mine` cuts with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import align, images, mine
from pipeline.align import AlignConfig
from pipeline.errors import UsageError
from pipeline.mine import MineConfig
from pipeline.pairing.registration import quality, register
from pipeline.pairing.registration.evidence import apply
from pipeline.records import AlignedPair, read_rows

from ...conftest import IDENTITY, SIZE, draw_pair

FIRST = "set00/V000"
MATRIX = (1.03, 0.02, 5.5, -0.01, 0.98, -3.25, 1e-5, -2e-5, 1.0)
SCORES = {"agreement": 0.9, "spread": 0.5, "drift": 0.0}


def run(root: Path, rig: dict[str, Any], **words: Any) -> list[AlignedPair]:
    known = root.parent / "known.json"
    known.write_text(json.dumps({"cameras": {FIRST: rig}}))
    out = root.parent / "out"
    config = {"root": root, "out": out, "manifest": "kaist", "homographies": known, "on_existing": "overwrite"}
    align.run(AlignConfig.model_validate(config | words), report=False)
    return list(read_rows(out / "aligned.jsonl", AlignedPair))


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at a pair is an error."""
    for module, name in ((register, "register_pair"), (register, "evaluate"), (quality, "inspect"), (quality, "judge")):
        monkeypatch.setattr(module, name, lambda *what, **how: pytest.fail("a pair was looked at"))


@pytest.mark.usefixtures("blind")
def test_with_min_score_0_a_known_matrix_is_applied_unseen(tree: Path) -> None:
    (tree / "set00/V001").rename(tree.parent / "away")
    rows = run(tree, {"homography": MATRIX, "model": "homography", "scores": SCORES}, min_score=0)
    assert [row.homography for row in rows] == [MATRIX] * 3
    assert {row.flags for row in rows} == {("unverified",)}
    assert {row.score for row in rows} == {round(quality.calibrated(SCORES), 6)}
    assert {(row.rgb_size, row.tir_size) for row in rows} == {(SIZE, SIZE)}
    assert {row.score for row in run(tree, {"homography": MATRIX}, min_score=0)} == {0.0}


@pytest.mark.usefixtures("blind")
def test_16_bit_pictures_and_written_pictures_come_out_as_when_they_are_looked_at(tree: Path) -> None:
    (tree / "set00/V001").rename(tree.parent / "away")
    for frame in range(3):
        path = tree / f"{FIRST}/lwir/I0000{frame}.jpg"
        path.unlink()
        cv2.imwrite(str(path.with_suffix(".png")), draw_pair(frame)[1].astype(np.uint16) * 10 + 5000)
    rows = run(tree, {"homography": MATRIX}, min_score=0, tir_range=(5000, 7550), write_images=True)
    assert {row.tir_range for row in rows} == {(5000, 7550)}
    written = images.decode_tir((tree.parent / f"out/images/{FIRST}/lwir/I00000.png").read_bytes(), "t")
    expected = images.warp_to_rgb(draw_pair(0)[1], np.reshape(MATRIX, (3, 3)), SIZE)
    assert np.abs(written.astype(int) - expected).max() <= 1


def test_damaged_pictures_and_pictures_of_another_size_are_not_given_the_matrix(tree: Path) -> None:
    (tree / "set00/V001").rename(tree.parent / "away")
    cut = tree / f"{FIRST}/visible/I00000.jpg"
    cut.write_bytes(cut.read_bytes()[:900])
    rows = run(tree, {"homography": MATRIX, "rgb_size": (640, 512)}, min_score=0, model="identity")
    assert [(row.frame, row.homography) for row in rows] == [("I00001", IDENTITY), ("I00002", IDENTITY)]


def blob(size: tuple[int, int], x: float, y: float) -> np.ndarray:
    """A bright Gaussian spot at (x, y), pixel centres, on grey."""
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    return np.asarray(40 + 200 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 3.0**2)), np.uint8)


def centroid(patch: np.ndarray) -> np.ndarray:
    """Where a spot is, pixel edges."""
    weight = np.maximum(patch.astype(float) - 70, 0)
    rows, columns = np.mgrid[: patch.shape[0], : patch.shape[1]] + 0.5
    return np.asarray(np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum())


corner = st.tuples(st.floats(-9, 9), st.floats(-9, 9))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.tuples(corner, corner, corner, corner), half=st.booleans())
def test_mine_cuts_the_same_scene_point_from_both_pictures_to_under_half_a_pixel(
    tmp_path: Path, moves: tuple[tuple[float, float], ...], half: bool
) -> None:
    width, height = (SIZE[0] // 2, SIZE[1] // 2) if half else SIZE
    tir = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    rgb = np.array([[0, 0], [SIZE[0] - 1, 0], [SIZE[0] - 1, SIZE[1] - 1], [0, SIZE[1] - 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(tir, (rgb + np.array(moves)).astype(np.float32))
    at = np.array([[83.3, 61.7]])
    seen = apply(np.linalg.inv(matrix).astype(np.float64), at)
    root = tmp_path / "data"
    for side, picture in (
        ("visible", np.dstack([blob(SIZE, *at[0])] * 3)),
        ("lwir", blob((width, height), *seen[0])),
    ):
        path = root / f"{FIRST}/{side}/I00000.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(images.encode(picture, ".png"))
    run(root, {"homography": (matrix / matrix[2, 2]).ravel().tolist()}, min_score=0)
    shards = tmp_path / "shards"
    cut = {
        "aligned": tmp_path / "out",
        "out": shards,
        "method": "center",
        "center_fraction": 1 / 3,
        "warped_format": "png",
    }
    mine.run(MineConfig.model_validate(cut | {"on_existing": "overwrite"}))
    with h5py.File(shards / "shard-00000.h5") as file:
        visible, thermal = file["patches/rgb"][0][..., 1], file["patches/tir"][0]
        across = float(file["patches/box"][0][2])
    gap = (centroid(visible) - centroid(thermal.reshape(visible.shape))) * across / visible.shape[1]
    assert np.hypot(*gap) < 0.5


def test_a_matrix_a_camera_is_not_estimated_beside_those_that_are_handed_in(tmp_path: Path) -> None:
    """What is not in the file is registered pair by pair, to which ``model`` applies."""
    with pytest.raises(UsageError, match="--estimate has no effect here, it is for runs without --homographies"):
        run(tmp_path / "data", {"homography": MATRIX}, estimate="sequence")
    assert not (tmp_path / "out").exists()
    paths = {"root": tmp_path, "out": tmp_path, "homographies": tmp_path}
    for words in ({"model": "similarity"}, {"estimate": "pair"}):
        assert not AlignConfig.model_validate(paths | words).without_effect()


@pytest.mark.usefixtures("blind")
def test_what_is_for_cameras_without_a_matrix_is_refused_where_there_is_none(tree: Path) -> None:
    """Where a matrix is for one size, pairs of another are registered, to which ``model`` applies."""
    told = "has no effect here, it is for cameras that --homographies does not name"
    (tree / "set00/V001").rename(tree.parent / "away")
    for words in ({"model": "similarity"}, {"estimate": "pair"}):
        with pytest.raises(UsageError, match=f"--{next(iter(words))} {told}"):
            run(tree, {"homography": MATRIX}, min_score=0, **words)
    assert not (tree.parent / "out").exists()
    sized = {"homography": MATRIX, "rgb_size": SIZE, "tir_size": SIZE}
    assert len(run(tree, sized, min_score=0, model="similarity")) == 3
    with pytest.raises(UsageError, match=f"--estimate {told}"):
        run(tree, sized, min_score=0, estimate="pair")


def test_what_is_finished_is_kept_whatever_it_was_asked_for(tree: Path) -> None:
    """As an earlier version did, which took settings without effect."""
    (tree / "set00/V001").rename(tree.parent / "away")
    run(tree, {"homography": MATRIX}, min_score=0)
    plan = tree.parent / "out/plan.json"
    content = json.loads(plan.read_text())
    content["settings"]["estimate"] = "pair"
    plan.write_text(json.dumps(content))
    words: dict[str, Any] = {"min_score": 0, "estimate": "pair"}
    assert len(run(tree, {"homography": MATRIX}, on_existing="resume", **words)) == 3
    with pytest.raises(UsageError, match="--estimate has no effect here"):
        run(tree, {"homography": MATRIX}, **words)
