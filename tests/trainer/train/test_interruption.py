"""A run that is stopped or killed within an epoch: the same again gives the bytes of one that nobody stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import UsageError
from trainer.checkpoints.run_folder import METRICS, MODEL, STATE, VALIDATION, RunFolder
from trainer.data.feeds import Feed
from trainer.train import loop, progress, session
from trainer.train.distributed import ProcessGroup

from ..train_world import settings

pytestmark = pytest.mark.usefixtures("small_training")
ROOT = Path(__file__).resolve().parents[3]
NOISY = "import torch\n\ndef noisy(scores, label):\n    return ((scores - label) * torch.rand(())).abs().mean()\n"
"""A loss that draws random numbers: it goes on as it would have only where they do."""
OPTIONS: dict[str, Any] = {"samples_per_epoch": 11, "held_out": 0.3, "held_out_samples": 1, "rates": {"tcl": 1e-4}}
"""Six steps an epoch, the last one short."""
RESULTS = (MODEL, METRICS, STATE, VALIDATION)
Step = Callable[[session.Training, Feed], dict[str, float]]


@pytest.fixture
def noisy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Settings with a loss that draws random numbers, and a row of metrics every four steps."""
    (tmp_path / "own_noise.py").write_text(NOISY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_noise", raising=False)
    monkeypatch.setattr(progress, "LOG_EVERY", 4)
    return OPTIONS | {"tcl_loss": "own_noise:noisy"}


def stopping_after(steps: int) -> Step:
    """A step that sends SIGTERM to its process when it is the last of ``steps``."""
    left = [steps]

    def step(training: session.Training, feed: Feed) -> dict[str, float]:
        parts = STEP(training, feed)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGTERM)
        return parts

    return step


STEP = loop.step


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("workers", [0, 2])
def test_stopped_within_an_epoch_three_times_the_bytes_are_the_same(
    world: Path, tmp_path: Path, noisy: dict[str, Any], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first epoch, where there is no model yet; before and after a row of metrics; and in the last epoch."""
    run = settings(world, tmp_path / "parts", loader_workers=workers, **noisy)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    for steps, done in ((2, (0, 2)), (3, (0, 5)), (4, (1, 3))):
        monkeypatch.setattr(loop, "step", stopping_after(steps))
        with pytest.raises(KeyboardInterrupt):
            loop.train_row(run)
        state = RunFolder(run.out).load_state()
        assert state is not None
        assert (state["epoch"], state["within"]["step"]) == done
        assert (run.out / MODEL).is_file() == (done[0] > 0)
    monkeypatch.setattr(loop, "step", STEP)
    loop.train_row(run)
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    whole = loop.train_row(settings(world, tmp_path / "whole", **noisy))
    for name in RESULTS:
        assert (run.out / name).read_bytes() == (whole.model.parent / name).read_bytes(), name
    rows = [json.loads(line) for line in (run.out / METRICS).read_text().splitlines()]
    assert [row["step"] for row in rows if "step" in row] == [3, 5, 9, 11]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("recipe", "more"),
    [
        ("b1", {"losses": "paper", "head_steps": 3}),
        ("d1", {}),
        ("d3", {}),
        ("pretrain", {"batch_size": 8, "samples_per_epoch": 24}),
    ],
)
def test_every_kind_of_run_goes_on_within_an_epoch(
    world: Path, tmp_path: Path, recipe: str, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"recipe": recipe, "samples_per_epoch": 6, "epochs": 1} | more
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "step", stopping_after(2))
        loop.train_row(settings(world, tmp_path / "parts", **options))
    for name in ("parts", "whole"):
        loop.train_row(settings(world, tmp_path / name, **options))
    for name in RESULTS:
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


COMMAND = """
import os, signal, sys
import pytest, torch
torch.set_num_threads({threads})
sys.path.insert(0, {root!r})
from tests.trainer.train_world import small_windows
from trainer.commands.train import main
from trainer.train import loop
small_windows(pytest.MonkeyPatch())
take, taken = loop.step, 0
def step(*args):
    global taken
    parts = take(*args)
    taken += 1
    if taken == 3:
        {signal}
    return parts
loop.step = step
main(sys.argv[1:])
"""


def command(world: Path, out: Path, signals: str = "pass", *more: object) -> subprocess.CompletedProcess[str]:
    """Run ``cmd-train`` in a session of its own; at the end of its third step it sends itself signals."""
    script = COMMAND.format(threads=torch.get_num_threads(), root=str(ROOT), signal=signals)
    words = ("--shards", world, "--tracker", "dimp18", "--epochs", 1, "--samples-per-epoch", 11, "--batch-size", 2)
    words += ("--device", "cpu", "--loader-workers", 2, "--set", "held_out_samples=0", "--out", out, *more)
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def whole(world: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the command gives when nobody stops it."""
    out = tmp_path_factory.mktemp("whole") / "run"
    done = command(world, out)
    assert done.returncode == 0, done.stderr
    return results(out)


def results(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in RESULTS}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_to_all_processes_saves_and_ends_with_code_4(
    world: Path, whole: dict[str, bytes], tmp_path: Path, number: str
) -> None:
    """As Ctrl-C in a terminal, which reaches the loader processes too."""
    done = command(world, tmp_path / "run", f"os.killpg(0, signal.{number})")
    assert done.returncode == 4
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert lines == ["error: interrupted: run the same command again to go on"]
    assert "stopped after 3 of 6 steps, all saved" in done.stderr
    assert "Traceback" not in done.stderr
    assert command(world, tmp_path / "run").returncode == 0
    assert results(tmp_path / "run") == whole


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_second_signal_ends_at_once(world: Path, tmp_path: Path) -> None:
    done = command(world, tmp_path / "run", "[os.kill(os.getpid(), signal.SIGTERM) for _ in range(2)]")
    assert done.returncode == -signal.SIGTERM
    assert not (tmp_path / "run" / STATE).exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_within_an_epoch_the_same_command_gives_the_same_bytes(
    world: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """At once, while the loader processes of the dead run still live."""
    killed = command(world, tmp_path / "run", "os.kill(os.getpid(), signal.SIGKILL)", "--set", "save_minutes=0")
    assert killed.returncode == -signal.SIGKILL
    state = RunFolder(tmp_path / "run").load_state()
    assert state is not None
    assert state["within"]["step"] == 2
    assert command(world, tmp_path / "run").returncode == 0
    assert results(tmp_path / "run") == whole


def test_a_state_is_saved_within_an_epoch_when_it_is_time(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[tuple[int, int]] = []
    monkeypatch.setattr(
        RunFolder, "save_state", lambda _, state: saved.append((state["epoch"], state["within"]["step"]))
    )
    options: dict[str, Any] = {"epochs": 1, "samples_per_epoch": 6}
    loop.train_row(settings(world, tmp_path / "often", save_minutes=0, **options))
    assert saved == [(0, 1), (0, 2), (1, 0)]
    saved.clear()
    loop.train_row(settings(world, tmp_path / "seldom", **options))
    assert saved == [(1, 0)]
    described = (json.loads((tmp_path / name / "run.json").read_text()) for name in ("often", "seldom"))
    assert [run["settings"].get("save_minutes") for run in described] == [0, None]


def test_a_thread_other_than_the_main_one_does_not_listen_to_signals() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def pause() -> None:
        with progress.Pauses(ProcessGroup(), torch.device("cpu"), 1) as pauses:
            seen.extend([signal.getsignal(signal.SIGINT), pauses.due()])

    thread = threading.Thread(target=pause)
    thread.start()
    thread.join()
    assert seen == [before, None]


@pytest.mark.slow
def test_where_batch_norms_learn_a_short_last_batch_is_dropped(
    world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A batch of one sample would end the run: there is no variance in it."""
    options: dict[str, Any] = {"recipe": "pretrain", "batch_size": 8, "epochs": 1}
    with caplog.at_level("INFO"):
        loop.train_row(settings(world, tmp_path / "nine", samples_per_epoch=9, **options))
    assert "the last 1 samples of an epoch are left out" in caplog.text
    rows = [json.loads(line) for line in (tmp_path / "nine" / METRICS).read_text().splitlines()]
    assert [row["step"] for row in rows] == [0]
    state = RunFolder(tmp_path / "nine").load_state()
    assert state is not None
    assert state["identity"]["last_batch"] == "dropped"
    with pytest.raises(UsageError, match=r"--samples-per-epoch 7: .* batches of 8 would take no step"):
        session.prepare(settings(world, tmp_path / "seven", samples_per_epoch=7, **options))


@pytest.mark.slow
def test_a_run_that_kept_its_short_batches_is_not_gone_on_with(world: Path, tmp_path: Path) -> None:
    """As versions before did, in rows where batch-norms learn."""
    options: dict[str, Any] = {"recipe": "pretrain", "batch_size": 8}
    made = loop.train_row(settings(world, tmp_path / "run", samples_per_epoch=8, epochs=1, **options))
    folder = RunFolder(shutil.copytree(made.model.parent, tmp_path / "old"))
    state = folder.load_state()
    assert state is not None
    assert "last_batch" not in state["identity"]
    folder.save_state(state | {"identity": state["identity"] | {"samples_per_epoch": 10}})
    with pytest.raises(UsageError, match=re.escape("(last_batch: kept -> dropped)")):
        loop.train_row(settings(world, folder.path, samples_per_epoch=10, epochs=2, **options))
