"""cmd-track with the real tracker, in several processes and interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.checkpoints.weights import save_weights
from trainer.net import build_network
from trainer.trackers import Tracker

from ...conftest import REPOSITORY
from ..track_world import BOX, World, picture, world, write_sequence

__all__ = ["world"]


def command(world: World, *words: object) -> list[str]:
    code = "from trainer.commands.track import main; main()"
    given = ("--weights", world.weights, "--tracker", "dimp18", "--root", world.root, "--out", world.out)
    return [sys.executable, "-c", code, *map(str, (*given, "--dataset", "tir_sequences", "--device", "cpu", *words))]


@pytest.fixture
def real(world: World) -> World:
    """The world with weights of a whole network, drawn at random."""
    torch.manual_seed(0)
    save_weights(build_network("dimp18").state_dict(), world.weights)
    return world


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_processes_give_the_boxes_that_the_tracker_gives(real: World) -> None:
    done_words = subprocess.run(
        command(real, "--workers", 2), cwd=REPOSITORY, capture_output=True, text=True, timeout=380, check=False
    )
    assert done_words.returncode == 0, done_words.stderr
    tracker = Tracker("dimp18", real.weights, seed=0)
    frames = [picture(at) for at in range(5)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    tracker.start(frames[0], BOX)
    expected = [BOX, *(tracker.update(frame)[0] for frame in frames[1:])]
    torch.set_num_threads(threads)
    np.testing.assert_allclose(real.boxes("car"), expected, atol=1e-4)
    assert len(real.boxes("dog")) == 12


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_ctrl_c_leaves_what_is_finished_and_ends_with_4(real: World) -> None:
    write_sequence(real.root, "endless", 3000)
    running = subprocess.Popen(
        command(real, "--workers", 2), cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # Where a shell started this in the background, Ctrl-C is ignored by inheritance.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )  # fmt: skip
    finished = real.out / "dog.txt"
    deadline = time.monotonic() + 300
    while not finished.exists() and time.monotonic() < deadline and running.poll() is None:
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 4, errors
    assert errors.splitlines()[-1] == "error: interrupted: run the same command again to go on"
    assert "Traceback" not in errors
    assert len(real.boxes("dog")) == 12
    assert not Path(real.out / "endless.txt").exists()
