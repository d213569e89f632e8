"""The training loop on a tiny world: files, resumption to the same bits, refusals."""

import json
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import DataError
from trainer.checkpoints.run_folder import METRICS, MODEL, VALIDATION
from trainer.checkpoints.weights import load_weights
from trainer.data.loading import EpochSampler
from trainer.train import loop, session

from ..train_world import SEQUENCES, same_bits, settings

pytestmark = pytest.mark.usefixtures("small_training")
ROOT = Path(__file__).resolve().parents[3]
SHOWN = {"rates": {"tcl": 1e-4}}


def rows(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / METRICS).read_text().splitlines()]


def test_loader_processes_end_with_the_run_whoever_still_holds_the_loader(world: Path, tmp_path: Path) -> None:
    """Python waits at its end for those that are left, and they ignore the signal that it sends them first."""
    training = session.Training(session.prepare(settings(world, tmp_path, loader_workers=1)))
    # A process that waits for the next file or case of another test lives on beside it.
    others = set(multiprocessing.active_children())
    with loop.loader_of(training, EpochSampler(4)) as loader:
        held = iter(loader)
        next(held)
        started = set(multiprocessing.active_children()) - others
        assert len(started) == 1
    assert not started & set(multiprocessing.active_children())
    assert held is loader._iterator


@pytest.mark.slow
def test_four_epochs_equal_two_and_two(
    world: Path, tmp_path: Path, teacher: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The resumed half needs no --init: what is frozen comes from the run itself."""
    options: dict[str, Any] = SHOWN | {"held_out_samples": 2, "held_out": 0.3, "step": 1}
    whole = loop.train_row(settings(world, tmp_path / "whole", epochs=4, init=(teacher,), **options))
    loop.train_row(settings(world, tmp_path / "parts", epochs=2, init=(teacher,), **options))
    before = load_weights(tmp_path / "parts" / MODEL)
    caplog.set_level("INFO")
    gone_on = loop.train_row(settings(world, tmp_path / "parts", epochs=4, **options))
    assert "; goes on after 2 of 4 steps; writes" in caplog.text
    measured = json.loads((tmp_path / "parts" / VALIDATION).read_text())
    assert gone_on.held_out_loss == (measured["before"]["losses"]["loss"], measured["after"]["losses"]["loss"])
    assert ("held-out loss", "{:.4g} -> {:.4g}".format(*gone_on.held_out_loss)) in gone_on.rows()
    assert same_bits(tmp_path / "whole", tmp_path / "parts")
    assert rows(tmp_path / "whole") == rows(tmp_path / "parts")
    after, start = load_weights(tmp_path / "parts" / MODEL), load_weights(teacher)
    moved = {name for name in after if not after[name].equal(start[name])}
    assert moved == {name for name in after if not after[name].equal(before[name])}
    assert {name.split(".")[1] for name in moved} == {"filter_initializer", "filter_optimizer"}
    held = [row for row in rows(tmp_path / "whole") if row.get("held_out")]
    assert [row["epoch"] for row in held] == [-1, 0, 1, 2, 3]
    assert [row["step"] for row in rows(tmp_path / "whole") if not row.get("held_out")] == [0, 1, 2, 3]
    assert whole.epochs == 4
    assert whole.training_pairs + whole.validation_pairs == 2 * SEQUENCES
    for name in ("run.json", "model.json", "curves.png", "report.html", "held_out.json"):
        assert (tmp_path / "whole" / name).stat().st_size > 50
    described = json.loads((tmp_path / "whole/run.json").read_text())
    assert described["rates"] == SHOWN["rates"]
    assert set(described["trained"]) == {
        name for name in after if name.split(".")[1] in ("filter_initializer", "filter_optimizer")
    }


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("recipe", "losses"), [("b1", "paper"), ("d1", "tracker"), ("d3", "paper"), ("pretrain", "tracker")]
)
def test_every_kind_of_run_resumes_to_the_same_bits(world: Path, tmp_path: Path, recipe: str, losses: str) -> None:
    """Statistics of batch-norms that are trained, psi, and the frozen copy of shared features included."""
    options: dict[str, Any] = {"recipe": recipe, "losses": losses, "head_steps": 3, "loader_workers": 2}
    if recipe == "pretrain":
        options |= {"samples_per_epoch": 8, "batch_size": 8}
    loop.train_row(settings(world, tmp_path / "whole", epochs=4, **options))
    loop.train_row(settings(world, tmp_path / "parts", epochs=2, **options))
    loop.train_row(settings(world, tmp_path / "parts", epochs=4, **options | {"loader_workers": 0}))
    assert same_bits(tmp_path / "whole", tmp_path / "parts")


KILLED = """
import os, signal, sys
from pathlib import Path
import pytest, torch
# Sums in another number of threads differ in their last bits.
torch.set_num_threads({threads})
sys.path.insert(0, {root!r})
from tests.trainer.train_world import settings, small_windows
from trainer.train import loop
from trainer.checkpoints.run_folder import RunFolder
small_windows(pytest.MonkeyPatch())
save = RunFolder.save_state
def save_and_die(folder, state):
    if {after} or state["epoch"] == 1:
        save(folder, state)
    if state["epoch"] == {epoch}:
        os.kill(os.getpid(), signal.SIGKILL)
RunFolder.save_state = save_and_die
loop.train_row(settings(Path({world!r}), Path({out!r}), epochs=3, rates={{"tcl": 1e-4}}))
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("after", "epoch"), [(True, 1), (False, 2)], ids=["between epochs", "model without its state"])
def test_a_killed_run_resumes_to_the_same_bits(world: Path, tmp_path: Path, after: bool, epoch: int) -> None:
    where = {"root": str(ROOT), "world": str(world), "out": str(tmp_path / "killed")}
    script = KILLED.format(**where, after=after, epoch=epoch, threads=torch.get_num_threads())
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == -9, done.stderr
    loop.train_row(settings(world, tmp_path / "killed", epochs=3, **SHOWN))
    loop.train_row(settings(world, tmp_path / "whole", epochs=3, **SHOWN))
    assert same_bits(tmp_path / "whole", tmp_path / "killed")
    assert rows(tmp_path / "whole") == rows(tmp_path / "killed")


def test_a_run_that_ended_in_its_first_epoch_starts_anew(world: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / METRICS).write_text('{"epoch": -1, "held_out": true, "loss": 1, "tcl": 1}\n{"epoch": 0, "step": 3, "lo')
    loop.train_row(settings(world, run, epochs=1, held_out=0.3, held_out_samples=1, **SHOWN))
    assert [(row["epoch"], row.get("held_out", False)) for row in rows(run)] == [(-1, True), (0, False), (0, True)]


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_pairs(world: Path, tmp_path: Path) -> None:
    config = settings(world, tmp_path / "run", batch_size=1, samples_per_epoch=3, rates={"tcl": 1e30})
    training = session.Training(session.prepare(settings(world, tmp_path / "other", batch_size=1, samples_per_epoch=3)))
    dataset = training.data.training_windows()
    with pytest.raises(DataError, match=r"loss is (nan|inf) at epoch 0, step (\d), pairs (video-\d/\d): ") as caught:
        loop.train_row(config)
    words = str(caught.value).replace(",", " ").replace(":", " ").split()
    step, named = int(words[words.index("step") + 1]), words[words.index("pairs") + 1]
    assert training.data.source.names[dataset[step]["pair"]][1] == named
    assert not (tmp_path / "run" / MODEL).exists()


def test_the_rate_is_halved_as_scheduled(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scales = []
    monkeypatch.setattr(session.MasterAdam, "set_scale", lambda _, scale: scales.append(scale))
    monkeypatch.setattr(loop, "_epoch", lambda *of: of[2].log({"loss": 1.0, "tcl": 1.0}))
    monkeypatch.setattr(loop.RunFolder, "save_model", lambda *_: None)
    monkeypatch.setattr(loop.RunFolder, "save_state", lambda *_: None)
    loop.train_row(settings(world, tmp_path / "run", epochs=31))
    assert scales == [1.0] * 15 + [0.5] * 15 + [0.25]


def test_windows_without_jitter_are_warned_of(world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    session.Training(session.prepare(settings(world, tmp_path / "run", jitter="none")))
    assert "jitter is off" in caplog.text
    assert "random weights (seed 0), which have nothing to teach: c1 goes on from a1, in the beginning" in caplog.text


@pytest.mark.parametrize(("recipe", "warned"), [("c1", True), ("pretrain", False)])
def test_a_backbone_alone_is_no_teacher(
    world: Path, tmp_path: Path, teacher: Path, caplog: pytest.LogCaptureFixture, recipe: str, warned: bool
) -> None:
    trunk = "feature_extractor."
    whole = load_weights(teacher)
    torch.save({name.removeprefix(trunk): v for name, v in whole.items() if name.startswith(trunk)}, tmp_path / "r.pth")
    changes: dict[str, Any] = {"recipe": recipe, "batch_size": 8, "samples_per_epoch": 8}
    config = settings(world, tmp_path / "run", init=(tmp_path / "r.pth",), **changes)
    session.Training(session.prepare(config))
    told = "is a backbone alone: the heads start from random weights (seed 0), which have nothing to teach: c1 goes on"
    assert (told in caplog.text) is warned
    assert ("nothing to teach" in caplog.text) is warned
