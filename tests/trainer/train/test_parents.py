"""What a run starts from: parent rows put together, shared features, a teacher of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import DataError, UsageError
from trainer.checkpoints.run_folder import META, MODEL, VALIDATION, RunFolder
from trainer.checkpoints.weights import load_weights
from trainer.net import build_network
from trainer.train import loop, merge, record, session, stage

from ..train_world import same_bits, settings, shard, write_world

pytestmark = pytest.mark.usefixtures("small_training")


def model_of(folder: Path, row: str, weights: dict[str, torch.Tensor], **more: object) -> Path:
    """A run's folder with weights that say they are of a row."""
    folder.mkdir()
    RunFolder(folder).save_model(weights, {"tracker": "dimp18", "recipe": row} | more)
    return folder


def scaled(weights: dict[str, torch.Tensor], factor: float) -> dict[str, torch.Tensor]:
    """The weights with everything but the backbone scaled, as another row might have left them."""
    kept = {
        name for name, value in weights.items() if name.startswith("feature_extractor.") or value.dtype == torch.long
    }
    return {name: value if name in kept else value * factor for name, value in weights.items()}


def test_parents_are_put_together_whatever_their_order(world: Path, tmp_path: Path, teacher: Path) -> None:
    """d3 starts from b3, taken whole, and the classifier of c1."""
    first = load_weights(teacher)
    second = scaled(first, 1.5)
    runs = (model_of(tmp_path / "c", "c1", second), model_of(tmp_path / "b", "b3", first))
    for init in (runs, runs[::-1]):
        run = session.Training(session.prepare(settings(world, tmp_path / "run", recipe="d3", init=init)))
        for name, value in run.net.state_dict().items():
            assert value.equal((second if name.startswith("classifier.") else first)[name]), name


def test_a_missing_parent_and_a_strange_one_are_named(world: Path, tmp_path: Path, teacher: Path) -> None:
    weights = load_weights(teacher)
    b1, b3 = model_of(tmp_path / "b1", "b1", weights), model_of(tmp_path / "b3", "b3", weights)
    for init, told in (((b3,), "--init for c1 is missing"), ((b1, b3), "c1 is missing, got runs of b1, b3")):
        with pytest.raises(UsageError, match=f"recipe d3 starts from b3 and c1: {told}"):
            session.Training(session.prepare(settings(world, tmp_path / "run", recipe="d3", init=init)))
    torch.manual_seed(5)
    alien = model_of(tmp_path / "alien", "c1", build_network("dimp18").state_dict())
    with pytest.raises(DataError, match=r"their backbones differ \(feature_extractor"):
        session.Training(session.prepare(settings(world, tmp_path / "run", recipe="d3", init=(b3, alien))))


@pytest.mark.slow
def test_b3_is_b1_with_the_test_branch_of_b2(tmp_path: Path, teacher: Path) -> None:
    first = load_weights(teacher)
    second = scaled(first, 1.5)
    b1, b2 = model_of(tmp_path / "b1", "b1", first), model_of(tmp_path / "b2", "b2", second)
    stage.train_one(settings(tmp_path, tmp_path / "b3", recipe="b3", init=(b2, b1)))
    merge.merge_runs(b1, b2, tmp_path / "merged")
    test_parts = ("conv3_1t", "conv3_2t", "conv4_1t", "conv4_2t", "fc3_rt", "fc4_rt", "iou_predictor")
    for name, value in load_weights(tmp_path / "b3" / MODEL).items():
        of_test = name.startswith("bb_regressor.") and name.split(".")[1] in test_parts
        assert value.equal((second if of_test else first)[name]), name
    assert same_bits(tmp_path / "b3", tmp_path / "merged")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "b3").iterdir()}
    stage.train_one(settings(tmp_path, tmp_path / "b3", recipe="b3", init=(b1, b2)))
    merge.merge_runs(b1, b2, tmp_path / "b3")
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "b3").iterdir()}
    with pytest.raises(UsageError, match=r"other settings or input \(weights: "):
        merge.merge_runs(b1, b1, tmp_path / "b3")
    with pytest.raises(UsageError, match="recipe: c1 -> b3"):
        merge.merge_runs(b1, b2, model_of(tmp_path / "c1", "c1", first))
    with pytest.raises(UsageError, match=r"already holds model\.safetensors"):
        merge.merge_runs(b1, b2, tmp_path / "b3", on_existing="fail")
    merge.merge_runs(b1, b1, tmp_path / "b3", on_existing="overwrite")
    assert same_bits(tmp_path / "b3", b1)
    with pytest.raises(UsageError, match="b2 is missing"):
        stage.train_one(settings(tmp_path, tmp_path / "again", recipe="b3", init=(b1, tmp_path / "merged")))


@pytest.mark.parametrize(
    ("recipe", "side"), [pytest.param("d1", "reference_side", marks=pytest.mark.slow), ("c1", "test_side")]
)
def test_shared_features_are_trained_on_the_tir_side_alone(world: Path, tmp_path: Path, recipe: str, side: str) -> None:
    """The RGB side runs a frozen copy; only the TIR side's is stepped and saved, after resumption too."""
    options: dict[str, Any] = {"recipe": recipe, "tcl_features": "trained", "rates": {"tcl": 1e-3}}
    loop.train_row(settings(world, tmp_path / "run", epochs=1, **options))
    state = RunFolder(tmp_path / "run").load_state()
    run = session.Training(session.prepare(settings(world, tmp_path / "run", **options)), state)
    torch.manual_seed(0)
    start = build_network("dimp18").state_dict()
    teacher = getattr(run.objective, side).classifier.feature_extractor.state_dict()
    trained = run.net.classifier.feature_extractor.state_dict()
    assert all(value.equal(start[f"classifier.feature_extractor.{name}"]) for name, value in teacher.items())
    assert any(not value.equal(teacher[name]) for name, value in trained.items())


def test_a_teacher_of_its_own_runs_the_rgb_side_and_is_not_saved(world: Path, tmp_path: Path, teacher: Path) -> None:
    first = load_weights(teacher)
    start, a1 = model_of(tmp_path / "s", "whole", scaled(first, 1.5)), model_of(tmp_path / "a1", "a1", first)
    options: dict[str, Any] = {"recipe": "d2", "init": (start,), "teacher": str(a1)}
    training = session.Training(session.prepare(settings(world, tmp_path / "run", **options)))
    for name, value in training.objective.test_side.state_dict().items():
        assert value.equal(first[name]), name
    assert training.objective.reference_side is training.net
    for name, value in training.net.state_dict().items():
        assert value.equal(scaled(first, 1.5)[name]), name
    with pytest.raises(UsageError, match="--set teacher has no effect here, it is for rows that train one branch"):
        session.Training(session.prepare(settings(world, tmp_path / "run", recipe="d3", teacher=str(a1))))


def test_a_model_put_together_has_learnt_the_thermal_ranges_of_all_its_parents(tmp_path: Path, teacher: Path) -> None:
    weights = load_weights(teacher)
    parents = []
    for row, ranges in (("b1", ["8-bit"]), ("b2", ["8-bit", [7000, 9000]])):
        parents.append(model_of(tmp_path / row, row, weights, tir_ranges=ranges))
    merge.merge_runs(parents[0], parents[1], tmp_path / "merged")
    stage.train_one(settings(tmp_path, tmp_path / "b3", recipe="b3", init=tuple(parents)))
    for run in ("merged", "b3"):
        assert json.loads((tmp_path / run / META).read_text())["tir_ranges"] == ["8-bit", [7000, 9000]]


def test_a_model_says_whether_it_has_learnt_from_tir_at_all(tmp_path: Path) -> None:
    world = write_world(tmp_path / "s", shard(4, 2))
    index = json.loads((world / "index.json").read_text())
    index["source"]["tir_ranges"] = ["8-bit"]
    (world / "index.json").write_text(json.dumps(index))
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"recipe": "pretrain", "batch_size": 8, "samples_per_epoch": 8}, ["visible"]),
        ({"recipe": "b1", "feed": "rgb-rgb"}, ["visible"]),
        ({"recipe": "d3", "feed": "gray"}, ["visible"]),
        ({"recipe": "d3", "feed": "tir-tir"}, ["8-bit"]),
        ({"recipe": "d3", "mix": "spatial"}, ["8-bit"]),
        ({"recipe": "c1", "pairs": "shuffled"}, ["8-bit"]),
    ]
    for changes, learnt in cases:
        training = session.Training(session.prepare(settings(world, tmp_path / "run", **changes)))
        assert record.describe_model(training)["tir_ranges"] == learnt, changes


@pytest.mark.slow
def test_a_spatial_row_is_measured_on_joined_pictures(world: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"recipe": "d3", "held_out": 0.3, "held_out_samples": 1, "epochs": 1}
    scores = {}
    for mix in ("spatial", "batch"):
        loop.train_row(settings(world, tmp_path / mix, mix=mix, **options))
        told = json.loads((tmp_path / mix / VALIDATION).read_text())
        scores[mix] = told["scores"]["start"]
        fed = ["rgb-tir"] if mix == "spatial" else ["rgb", "tir"]
        assert told["test"]["fed"]["as trained"]["reference"] == fed
    assert scores["spatial"]["TIR alone"] == scores["batch"]["TIR alone"]
    assert scores["spatial"]["as trained"] != scores["batch"]["as trained"]


def test_a_run_of_another_tracker_is_called_by_its_name_and_no_tensors(
    world: Path, tmp_path: Path, teacher: Path
) -> None:
    other = model_of(tmp_path / "c1", "c1", load_weights(teacher))
    asked = settings(world, tmp_path / "run", tracker="dimp50", recipe="c1", init=(other,))
    with pytest.raises(UsageError, match=f"--init {other} is dimp18, you asked for dimp50: give --tracker dimp18"):
        stage.train_one(asked)
