"""What every base tracker must do: a new one has a line in ``trainer/base_trackers.py`` and passes these tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.labels import LABEL_STRIDE
from trainer.base_trackers import BASE_TRACKERS, base_tracker
from trainer.checkpoints import load_weights
from trainer.checkpoints.weights import load_into
from trainer.commands.options import TRACKER_NAMES
from trainer.data.feeds import assemble
from trainer.data.windowing import windowing_of
from trainer.distillation.ownership import ownership_of
from trainer.net import BranchedNet, TrackingNet, build_network
from trainer.recipes.geometry import TrackerSpec, geometry_of
from trainer.recipes.recipe import Recipe, load_recipe, merging_recipe, recipe_names, rows_of
from trainer.trackers import Tracker
from trainer.trackers.engine import Engine
from trainer.trackers.parameters.base import TrackingParams
from trainer.trackers.parameters.defaults import defaults_of
from trainer.trackers.parameters.params import OnlineParams
from trainer.train.session import Training, prepare

from ..trainer.train_world import settings, shard, small_windows, write_world

LARGE = {"dimp50", "superdimp"}
NAMES = [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in BASE_TRACKERS]
BOX = np.array([60.0, 40, 26, 22])
QUICK: dict[str, Any] = {
    "augmentation": {"fliplr": True},
    "num_init_random_boxes": 2,
    "sample_memory_size": 4,
    "target_not_found_threshold": -1e9,
}
"""Parameters that make trackers quick which learn online."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"))


def one_branch(spec: TrackerSpec) -> list[Recipe]:
    """The rows of a base tracker that train one branch, one a branch."""
    rows = [row for row in map(load_recipe, recipe_names()) if row.fits(spec) and row.trained(spec) == ("bbe",)]
    return list({row.branch: row for row in rows if row.branch != "both"}.values())


@pytest.mark.parametrize("name", BASE_TRACKERS)
def test_its_parts_are_what_they_say(name: str) -> None:
    tracker = base_tracker(name)
    assert name in TRACKER_NAMES.choices
    assert isinstance(geometry_of(name), TrackerSpec)
    assert isinstance(tracker.load("parameters"), TrackingParams)
    assert issubclass(tracker.load("engine"), Engine)


@pytest.mark.parametrize("name", BASE_TRACKERS)
def test_its_geometry_is_one_that_windows_can_be_cut_by(name: str) -> None:
    spec = geometry_of(name)
    first, stride = spec.grid
    assert stride == LABEL_STRIDE
    assert "bbe" in spec.pretrain_rates
    assert ("tcl" in spec.pretrain_rates) == spec.classifier
    assert set(spec.pretrain_frozen) <= set(spec.backbone_layers)
    assert merging_recipe(spec).fits(spec)
    assert {row.branch for row in one_branch(spec)} == {"reference", "test"}
    windowing, picture = windowing_of(spec), np.full((128, 160), 90, np.uint8)
    for branch, size in enumerate(spec.sizes):
        window = windowing.window(branch, BOX, (160, 128), np.random.default_rng(0), jittered=False)
        assert window.cut(picture).shape == (size, size)
        box = window.to_window(BOX)
        assert np.abs(box[:2] + box[2:] / 2 - size / 2).max() < size / 4
    targets = windowing.targets(box, np.random.default_rng(0), foreign=False)
    assert {"label", "state", "proposals", "proposal_iou"} <= targets.keys()
    row, column = np.unravel_index(targets["label"].argmax(), targets["label"].shape)
    peak = first + stride * np.array([column, row])
    assert np.abs(peak - box[:2] - box[2:] / 2).max() <= stride / 2 + 1


@pytest.mark.parametrize("name", BASE_TRACKERS)
def test_its_own_losses_are_listed_and_its_modules_have_owners(name: str) -> None:
    spec, owned = geometry_of(name), ownership_of(name)
    tcl, bbe = spec.own_losses
    assert tcl in spec.family.tcl.registry
    assert bbe in spec.family.bbe.registry
    with torch.device("meta"):
        names = [each for each, _ in build_network(name).named_parameters()]
    for module in ("bbe", "tcl") if spec.classifier else ("bbe",):
        reference, test, both = (
            {each for each in names if each.startswith(owned.parts(module, branch))}  # type: ignore[arg-type]
            for branch in ("reference", "test", "both")
        )
        assert reference
        assert both == reference | test
        shared = {each for each in names if owned.shared and each.startswith(owned.shared)}
        assert reference & test == (shared if module == "tcl" else set())
        assert bool(shared) <= spec.shared


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_on_two_instants_of_a_tube(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each modality on each branch, a later instant on the test branch, and none of another tube."""
    small_windows(monkeypatch)
    row = next(row for row in rows_of(geometry_of(name)) if row.patches == "detection-tubes")
    content = shard(sequences=3, frames=6, method="detection", tubes=True)
    content.patches[:] = [replace(patch, track=patch.pair % 6 // 3) for patch in content.patches]
    shards = write_world(tmp_path / "s", content)
    asked = settings(shards, tmp_path / "run", recipe=row.name, tracker=name, samples_per_epoch=20, held_out=0)
    training = Training(prepare(asked))
    windows, source = training.data.training_windows(), training.data.source
    for index in range(20):
        drawn, sample = windows.draws.draw(index), windows[index]
        (reference,), (test,) = drawn.patches
        names = [source.names[int(source.pair_of(patch))][1].split("/") for patch in (reference, test)]
        if not drawn.foreign:
            assert names[0][0] == names[1][0]
            assert int(names[0][1]) // 3 == int(names[1][1]) // 3, "a cut lies between"
            assert int(names[0][1]) < int(names[1][1])
        for branch, size in zip(("reference", "test"), training.row.spec.sizes):
            assert {sample[f"{branch}_{fed}"].shape for fed in ("rgb", "tir")} == {(3, size, size)}
    batch = torch.utils.data.default_collate([windows[index] for index in range(4)])
    _, parts = training.objective(assemble(batch, training.data.feeding, training.device))
    assert all(np.isfinite(value) for value in parts.values())


@pytest.mark.parametrize("name", NAMES)
def test_its_network_is_seeded_and_loads_its_own_export(name: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    first = build_network(name)
    assert isinstance(first, BranchedNet)
    torch.manual_seed(3)
    assert all(value.equal(first.state_dict()[key]) for key, value in build_network(name).state_dict().items())
    own = base_tracker(name).exporter("pytracking" if isinstance(first, TrackingNet) else "pytorch")
    (file,) = own(first.state_dict(), name, tmp_path / "own.pth.tar")
    second = build_network(name)
    load_into(second, load_weights(file), "own")
    assert second.state_dict().keys() == first.state_dict().keys()
    assert all(value.equal(first.state_dict()[key]) for key, value in second.state_dict().items())


@pytest.mark.parametrize("branch", ["reference", "test"])
@pytest.mark.parametrize("name", NAMES)
def test_a_step_changes_the_trained_branch_alone(
    name: str, branch: str, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_windows(monkeypatch)
    row = next(row for row in one_branch(geometry_of(name)) if row.branch == branch)
    run = Training(prepare(settings(world, tmp_path / "run", recipe=row.name, tracker=name)))
    before = {key: value.clone() for key, value in run.net.state_dict().items()}
    batch = torch.utils.data.default_collate([run.data.training_windows()[draw] for draw in range(2)])
    feed, _ = next(run.batches([batch]))
    run.optimizer.set_scale(1e3)
    run.optimizer.step(run.objective(feed)[0])
    moved = {key for key, value in run.net.state_dict().items() if not value.equal(before[key])}
    assert moved == set(run.optimizer.live)
    assert moved
    assert all(key.startswith(ownership_of(name).parts("bbe", row.branch)) for key in moved)


@pytest.mark.parametrize("name", NAMES)
def test_it_tracks_with_sound_boxes(name: str) -> None:
    rng = np.random.default_rng(0)
    ground = rng.integers(40, 90, (128, 160), dtype=np.uint8)
    frames = []
    for step in range(4):
        frame = ground.copy()
        frame[40:62, 60 + 3 * step : 86 + 3 * step] = 220
        frames.append(frame)
    torch.manual_seed(0)
    quick = QUICK if isinstance(defaults_of(name), OnlineParams) else {}
    tracker = Tracker(name, build_network(name).state_dict(), params=quick)
    tracker.start(frames[0], BOX)
    for frame in frames[1:]:
        box, score = tracker.update(frame)
        assert box.shape == (4,)
        assert np.isfinite([*box, score]).all()
        assert (box[2:] > 0).all()


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        ValueError, match=r"unknown tracker 'dimp51': did you mean dimp50\? choose one of dimp18, dimp50"
    ):
        base_tracker("dimp51")
