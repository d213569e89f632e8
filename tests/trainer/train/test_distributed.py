"""Processes take the steps that one would take with a batch as large as theirs together."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from trainer.checkpoints.run_folder import METRICS, MODEL, STATE, RunFolder
from trainer.checkpoints.weights import load_weights
from trainer.train import loop

from ...conftest import console_script
from ..train_world import settings, small_windows, write_world

ROOT = Path(__file__).resolve().parents[3]
MEMBER = """
import sys
from pathlib import Path
import pytest, torch
torch.set_num_threads(1)
sys.path.insert(0, {root!r})
from tests.trainer.train_world import settings, small_windows
from trainer.train import loop
small_windows(pytest.MonkeyPatch())
loop.train_row(settings(Path({world!r}), Path({out!r}), epochs=1, samples_per_epoch=8, rates={{"tcl": 1e-4}},
    device={device!r}))
"""


def torchrun(scripts: Path, *command: str, processes: int = 2) -> None:
    """Start processes, as users do; commands are looked for in the folder ``scripts`` first."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [*launcher, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("processes", [1, 2])
def test_processes_equal_one_with_as_large_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: torch.device, processes: int
) -> None:
    """By gloo or, on a GPU, by NCCL, of which one process alone sees something too: it talks to itself."""
    if device.type == "cuda" and torch.cuda.device_count() < processes:
        pytest.skip("needs a second GPU")
    world = write_world(tmp_path / "world")
    member, places = tmp_path / "member.py", {"world": str(world), "out": str(tmp_path / "several")}
    member.write_text(MEMBER.format(root=str(ROOT), device=device.type, **places))
    torchrun(tmp_path, str(member), processes=processes)
    small_windows(monkeypatch)
    options = {"epochs": 1, "samples_per_epoch": 8, "batch_size": 2 * processes, "rates": {"tcl": 1e-4}}
    loop.train_row(settings(world, tmp_path / "one", device=str(device), **options))
    several, one = (json.loads((tmp_path / name / METRICS).read_text().splitlines()[-1]) for name in ("several", "one"))
    assert several["loss"] == pytest.approx(one["loss"], rel=1e-5)
    both = [load_weights(tmp_path / name / MODEL) for name in ("several", "one")]
    apart = torch.cat([(both[0][name].double() - both[1][name].double()).abs().flatten() for name in both[0]])
    # Adam takes a whole step whichever way a gradient of about zero points; nothing else may differ.
    assert float((apart > 1e-6).double().mean()) < 1e-3
    assert float(apart.max()) < 1e-3


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("start", ["--no-python cmd-train", "-m trainer"])
def test_the_command_of_the_docs_trains_with_two_processes(start: str, tmp_path: Path) -> None:
    world, out = write_world(tmp_path / "world"), tmp_path / "run"
    options = (
        "--tracker dimp18 --recipe c1 --epochs 1 --samples-per-epoch 4 --set batch_size=1 --set held_out_samples=1"
    )
    console_script(tmp_path, "cmd-train")
    words = ("--shards", str(world), *options.split(), "--loader-workers", "0", "--out", str(out))
    torchrun(tmp_path, *start.split(), *words)
    rows = [json.loads(line) for line in (out / METRICS).read_text().splitlines()]
    assert [row["step"] for row in rows if "step" in row] == [1]
    assert json.loads((out / "run.json").read_text())["processes"] == 2
    assert "after" in json.loads((out / "held_out.json").read_text())


STOPPED = """
import os, signal, sys
from pathlib import Path
import pytest, torch
torch.set_num_threads(1)
sys.path.insert(0, {root!r})
from tests.trainer.train_world import settings, small_windows
from trainer.train import loop
small_windows(pytest.MonkeyPatch())
out, stop = Path(sys.argv[1]), sys.argv[2:] == ["stop"]
take = loop.step
def step(training, feed):
    parts = take(training, feed)
    if stop and training.group.rank == 1:
        os.kill(os.getpid(), signal.SIGTERM)
    return parts
loop.step = step
try:
    loop.train_row(settings(Path({world!r}), out, epochs=1, samples_per_epoch=12, rates={{"tcl": 1e-4}}))
    assert not stop
except KeyboardInterrupt:
    assert stop
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_signal_to_one_process_stops_all_after_the_same_step(tmp_path: Path) -> None:
    """The one that writes is another; what they go on with gives the bytes of processes that nobody stopped."""
    world, member = write_world(tmp_path / "world"), tmp_path / "member.py"
    member.write_text(STOPPED.format(root=str(ROOT), world=str(world)))
    torchrun(tmp_path, str(member), str(tmp_path / "parts"), "stop")
    state = RunFolder(tmp_path / "parts").load_state()
    assert state is not None
    assert (state["epoch"], state["within"]["step"], len(state["random"])) == (0, 1, 2)
    for name in ("parts", "whole"):
        torchrun(tmp_path, str(member), str(tmp_path / name))
    for name in (MODEL, METRICS, STATE):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
