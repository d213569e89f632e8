"""The benchmark: layouts of the truth, chosen sequences, attributes, and what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import DataError, UsageError
from trainer.sequences.benchmark import load_benchmark

from ..conftest import World, write_boxes


def test_truth_and_attributes_are_read_in_the_manifest_s_order(world: World) -> None:
    found = load_benchmark(world.dataset, world.folder("truth"), world.folder("attributes"))
    assert found.sequences == ("car_V_001", "dog_D_001", "face_S_001")
    assert all(np.array_equal(found.truth[name], world.truth[name]) for name in found.sequences)
    assert {name: where.tolist() for name, where in found.attributes.items()} == {
        "occlusion": [True, True, False],
        "fast motion": [False, True, False],
    }
    assert found.warnings == ()
    assert found.metrics == ("success", "precision", "normalized_precision")


def test_any_folder_in_a_known_layout_is_a_benchmark(world: World, tmp_path: Path) -> None:
    root = tmp_path / "own"
    for name, boxes in world.truth.items():
        write_boxes(root / name / "groundtruth_rect.txt", boxes, "\t")
    found = load_benchmark("tir_sequences", root)
    assert found.sequences == ("car_V_001", "dog_D_001", "face_S_001")
    assert found.attributes == {}
    assert load_benchmark("tir_sequences", world.folder("truth")).sequences == found.sequences
    with pytest.raises(UsageError, match="give --annotations"):
        load_benchmark("tir_sequences", None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no ground truth"):
        load_benchmark("tir_sequences", tmp_path / "empty")


def test_only_the_chosen_sequences_and_unknown_ones_named(world: World) -> None:
    truth = world.folder("truth")
    assert load_benchmark(world.dataset, truth, only=["face_S_001", "car_V_001"]).sequences == (
        "car_V_001",
        "face_S_001",
    )
    with pytest.raises(UsageError, match=r"tiny has no nope, \.\./truth/car_V_001: correct"):
        load_benchmark(world.dataset, truth, only=["nope", "../truth/car_V_001"])
    with pytest.raises(UsageError, match=r"no cat_D_001 \(left out of this data set\)"):
        load_benchmark("lsotb_tir_paper", None, only=["cat_D_001"])


def test_a_part_of_the_truth_is_scored_as_a_part(world: World, tmp_path: Path) -> None:
    (world.folder("truth") / "dog_D_001.txt").unlink()
    found = load_benchmark(world.dataset, world.folder("truth"))
    assert found.sequences == ("car_V_001", "face_S_001")
    assert found.warnings[0].startswith("no ground truth for 1 of 3 sequences (dog_D_001)")
    with pytest.raises(DataError, match=r"dog_D_001\.txt: no such file"):
        load_benchmark(world.dataset, world.folder("truth"), only=["dog_D_001"])
    with pytest.raises(DataError, match=r"car_V_001\.txt: no such file, nor \S+: get the truth"):
        load_benchmark(world.dataset, world.root)
    own = tmp_path / "own/street_1/groundtruth_rect.txt"
    own.parent.mkdir(parents=True)
    own.write_text("1,2,30,40\n")
    others = r"it holds other sequences \(street_1\), which --dataset tir_sequences takes, or get the truth"
    with pytest.raises(DataError, match=others):
        load_benchmark("lsotb_tir", tmp_path / "own")
    (tmp_path / "LSOTB/cat_D_001").mkdir(parents=True)
    (tmp_path / "LSOTB/cat_D_001/groundtruth_rect.txt").write_text("1,2,30,40\n")
    with pytest.raises(DataError, match=rf"did you mean {tmp_path}/LSOTB\? get the truth"):
        load_benchmark("lsotb_tir", tmp_path)


def test_results_in_the_place_of_the_truth_are_told(tmp_path: Path) -> None:
    for name in ("car_V_001.txt", "car_V_001_time.txt"):
        (tmp_path / name).write_text("1,2,30,40\n")
    with pytest.raises(DataError, match=r"holds results \(car_V_001_time\.txt\), not ground truth: correct --annotat"):
        load_benchmark("tir_sequences", tmp_path)


def test_truth_of_another_length_is_told_and_without_a_box_refused(world: World) -> None:
    path = world.folder("truth") / "dog_D_001.txt"
    write_boxes(path, world.truth["dog_D_001"][:35])
    assert "35 rows, tiny has 40" in load_benchmark(world.dataset, world.folder("truth")).warnings[0]
    write_boxes(path, world.truth["dog_D_001"] * [0, 1, 1, 1])
    with pytest.raises(DataError, match="no frame has a box"):
        load_benchmark(world.dataset, world.folder("truth"))


def test_attributes_beside_the_truth_and_missing_ones(world: World) -> None:
    beside = world.folder("truth") / "att"
    world.folder("attributes").rename(beside)
    (beside / "dog_D_001.txt").unlink()
    found = load_benchmark(world.dataset, world.folder("truth"))
    assert found.attributes["occlusion"].tolist() == [True, False, False]
    assert "no attributes for 1 sequences (dog_D_001)" in found.warnings[0]
    (beside / "car_V_001.txt").write_text("1,0,1\n")
    with pytest.raises(DataError, match="row has 3 numbers, expected 2"):
        load_benchmark(world.dataset, world.folder("truth"))


def test_folders_and_kinds_that_do_not_fit(world: World) -> None:
    with pytest.raises(DataError, match="correct --annotations"):
        load_benchmark(world.dataset, world.folder("nowhere"))
    with pytest.raises(DataError, match="correct --attributes"):
        load_benchmark(world.dataset, world.folder("truth"), world.folder("nowhere"))
    with pytest.raises(UsageError, match="is a data set of pairs"):
        load_benchmark("kaist", None)


def test_ptb_tir_has_no_normalized_precision() -> None:
    assert load_benchmark("ptb_tir", None).metrics == ("success", "precision")


def test_a_sequence_of_which_only_the_first_box_is_known_is_not_measured(world: World) -> None:
    for name, rows in (("dog_D_001", "10,12,8,6\n"), ("face_S_001", "10,12,8,6\n" + "0,0,0,0\n" * 49)):
        (world.folder("truth") / f"{name}.txt").write_text(rows)
    found = load_benchmark(world.dataset, world.folder("truth"), world.folder("attributes"))
    assert found.sequences == ("car_V_001",)
    assert found.attributes["occlusion"].tolist() == [True]
    line = "only the first box is known of 2 of 3 sequences (dog_D_001, face_S_001): nothing to measure"
    assert any(warning.startswith(line) for warning in found.warnings)
    with pytest.raises(DataError, match=r"dog_D_001\.txt: holds the first box alone, .* get the truth of all frames"):
        load_benchmark(world.dataset, world.folder("truth"), only=["dog_D_001"])


def test_blank_rows_and_polygons_of_the_truth_are_told(world: World) -> None:
    path = world.folder("truth") / "car_V_001.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:10], "", "", *lines[12:], "", ""]))
    boxes = world.truth["dog_D_001"]
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    write_boxes(
        world.folder("truth") / "dog_D_001.txt", np.c_[low, high[:, :1], low[:, 1:], high, low[:, :1], high[:, 1:]]
    )
    found = load_benchmark(world.dataset, world.folder("truth"))
    expected = world.truth["car_V_001"].copy()
    expected[10:12] = np.nan
    np.testing.assert_array_equal(found.truth["car_V_001"], expected)
    np.testing.assert_allclose(found.truth["dog_D_001"], boxes)
    assert found.warnings == (
        "ground truth: 2 blank rows taken as frames without a target, in 1 sequences (car_V_001 2)",
        "ground truth: polygons taken as their bounding boxes, in 1 sequences (dog_D_001)",
    )
