"""k3: TIR on both branches, and what the frozen teacher answers on RGB in the same windows as the target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import UsageError
from trainer.data.feeds import Feed, assemble
from trainer.distillation.ownership import ownership_of
from trainer.train.session import Training, prepare

from ..train_world import settings, shard, write_world

pytestmark = pytest.mark.usefixtures("small_training")
TRACKERS = ("nanotrack_v2", "dimp18", "atom")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"), shard(method="detection"))


def training(world: Path, out: Path, tracker: str, **changes: Any) -> Training:
    return Training(prepare(settings(world, out, **({"recipe": "k3", "tracker": tracker} | changes))))


def fed(run: Training) -> Feed:
    dataset = run.data.training_windows(samples=2)
    batch = torch.utils.data.default_collate([dataset[index] for index in range(2)])
    return assemble(batch, run.data.feeding, run.device, again=True)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_the_target_is_the_answer_of_the_start_on_rgb_in_the_same_windows(
    world: Path, tmp_path: Path, tracker: str
) -> None:
    run = training(world, tmp_path / "run", tracker)
    feed = fed(run)
    assert feed.twins is not None
    assert all(twin.shape == seen.shape for twin, seen in zip(feed.twins, (feed.reference, feed.test)))
    assert not feed.twins[0].equal(feed.reference)
    assert run.objective(feed)[0] > 0
    same = replace(feed, twins=(feed.reference, feed.test))
    assert float(run.objective(same)[0].detach()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_both_branches_of_what_there_is_move_and_the_teacher_stays(world: Path, tmp_path: Path, tracker: str) -> None:
    run = training(world, tmp_path / "run", tracker)
    feed = fed(run)
    modules = run.row.modules
    assert modules == (("bbe",) if tracker == "atom" else ("bbe", "tcl"))
    assert run.objective.teacher is not None
    taught = {name: value.clone() for name, value in run.objective.teacher.state_dict().items()}
    before = {name: value.clone() for name, value in run.net.state_dict().items()}
    run.optimizer.set_scale(1e4)
    run.optimizer.step(run.objective(feed)[0])
    moved = {name for name, value in run.net.state_dict().items() if not value.equal(before[name])}
    assert moved == set(run.optimizer.live)
    owned = ownership_of(tracker)
    for module in modules:
        for branch in ("reference", "test"):
            assert any(name.startswith(owned.parts(module, branch)) for name in moved)  # type: ignore[arg-type]
    assert all(value.equal(taught[name]) for name, value in run.objective.teacher.state_dict().items())


def test_no_other_row_learns_answers_and_this_one_learns_nothing_else(world: Path, tmp_path: Path) -> None:
    for changes, line in (
        ({"recipe": "d3", "losses": "answers"}, "recipe d3 is fed otherwise: take k3"),
        ({"losses": "tracker"}, "recipe k3 learns its teacher's answers, not boxes"),
        ({"bbe_loss": "iou"}, "recipe k3 learns its teacher's answers, not boxes"),
        ({"feed": "rgb-rgb"}, "feed has no effect here"),
    ):
        with pytest.raises(UsageError, match=line):
            training(world, tmp_path / "run", "nanotrack_v2", **changes)


def test_shuffled_pairs_show_the_teacher_another_scene(world: Path, tmp_path: Path) -> None:
    true, shuffled = (
        fed(training(world, tmp_path / "run", "nanotrack_v2", **way)) for way in ({}, {"pairs": "shuffled"})
    )
    assert true.twins is not None
    assert shuffled.twins is not None
    assert shuffled.twins[1].equal(true.twins[1])
    assert not shuffled.test.equal(true.test)
