"""A long run is rehearsed before it begins, so that its plan tells how long it takes, and is the same run after it."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from trainer.train import loop, stepping
from trainer.train.session import Training, prepare

from ..train_world import same_bits, settings

pytestmark = pytest.mark.usefixtures("small_training")
ROWS: list[dict[str, Any]] = [
    {"recipe": "c1", "held_out_samples": 2, "held_out": 0.3},
    {"recipe": "d3", "losses": "paper", "head_steps": 2},
    {"recipe": "pretrain", "batch_size": 8, "samples_per_epoch": 16},
]


@pytest.mark.slow
@pytest.mark.parametrize("changes", ROWS, ids=lambda changes: changes["recipe"])
def test_a_rehearsal_leaves_no_trace(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, changes: Any
) -> None:
    caplog.set_level(logging.INFO)
    told = {}
    for name, worth in (("rehearsed", 1), ("plain", 10**9)):
        caplog.clear()
        monkeypatch.setattr(loop, "WORTH_REHEARSING", worth)
        loop.train_row(settings(world, tmp_path / name, epochs=1, **changes))
        (told[name],) = (message for message in caplog.messages if message.startswith("plan: "))
    assert same_bits(tmp_path / "rehearsed", tmp_path / "plain")
    plan = (
        rf"plan: {changes['recipe']} on dimp18, cpu; .* to train on, .* held out; 1 x \d steps of \d pairs(.*); writes "
    )
    assert re.match(plan, told["rehearsed"])[1].endswith(" of stepping")  # type: ignore[index]
    assert re.match(plan, told["plain"])[1] == ""  # type: ignore[index]


@pytest.mark.slow
def test_a_run_is_as_it_was_after_a_rehearsal(world: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"recipe": "pretrain", "batch_size": 8, "samples_per_epoch": 16, "rates": {"tcl": 0.1}}
    training = Training(prepare(settings(world, tmp_path / "run", **options)))
    before = {name: value.clone() for name, value in training.net.state_dict().items()}
    random = torch.get_rng_state()
    seen = stepping.rehearse(training)
    assert seen.seconds_per_step > 0
    assert all(value.equal(before[name]) for name, value in training.net.state_dict().items())
    assert all(master.equal(before[name].double()) for name, master in training.optimizer.masters.items())
    assert training.optimizer.moments == {}
    assert torch.get_rng_state().equal(random)
    assert not any(module.training for module in training.net.modules())
