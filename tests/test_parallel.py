"""Two processes take the steps that one would take with twice the batch."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from trainer import loop
from trainer.checkpoint import load_weights
from trainer.run_folder import METRICS, MODEL

from .train_world import settings, small_windows, write_world

ROOT = Path(__file__).resolve().parents[1]
MEMBER = """
import sys
from pathlib import Path
import pytest, torch
torch.set_num_threads(1)
sys.path.insert(0, {root!r})
from tests.train_world import settings, small_windows
from trainer import loop
small_windows(pytest.MonkeyPatch())
loop.run(settings(Path({world!r}), Path({out!r}), epochs=1, samples_per_epoch=8, rates={{"tcl": 1e-4}}))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_processes_equal_one_with_twice_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = write_world(tmp_path / "world")
    script = MEMBER.format(root=str(ROOT), world=str(world), out=str(tmp_path / "two"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    members = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for member in members:
        _, told = member.communicate(timeout=240)
        assert member.returncode == 0, told
    small_windows(monkeypatch)
    options = {"epochs": 1, "samples_per_epoch": 8, "batch_size": 4, "rates": {"tcl": 1e-4}}
    loop.run(settings(world, tmp_path / "one", **options))
    two, one = (json.loads((tmp_path / name / METRICS).read_text().splitlines()[-1]) for name in ("two", "one"))
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-5)
    both = [load_weights(tmp_path / name / MODEL) for name in ("two", "one")]
    apart = torch.cat([(both[0][name].double() - both[1][name].double()).abs().flatten() for name in both[0]])
    # Adam takes a whole step whichever way a gradient of about zero points; nothing else may differ.
    assert float((apart > 1e-6).double().mean()) < 1e-3
    assert float(apart.max()) < 1e-3
