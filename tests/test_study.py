"""A whole study of toy size with the real commands: whatever kills it, the same command again ends the same."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from trainer.net.backbone import ResNet

from .conftest import REPOSITORY, lasting

pytestmark = [pytest.mark.slow, pytest.mark.timeout(6000)]

RESULT = ("results.jsonl", "verdict.json", "plan.json")
SIGNS = ("scenes/test/pairs/.unfinished", "runs/d3/true/0/run.json")
"""What is there only once a command is in the middle of its work: of an early one, and of a late one."""


@contextlib.contextmanager
def started(folder: Path, out: str, workers: int) -> Iterator[subprocess.Popen[str]]:
    """The command, in a group of processes of its own, which ends with the block."""
    words = ["study", "--out", out, "--init", "resnet18.pth", "--preset", "toy", "--workers", str(workers)]
    command = [Path(sys.executable).with_name("cmd-train"), *words]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)


def end_of(process: subprocess.Popen[str]) -> str:
    printed, told = process.communicate(timeout=1500)
    assert process.returncode == 0, told
    return printed


def kill_at(sign: Path, folder: Path, out: str, workers: int) -> None:
    """Begin the study, and kill it and all that it has started when a file is there."""
    until = time.monotonic() + 1500
    with started(folder, out, workers) as process:
        while not sign.exists():
            assert process.poll() is None, "the study ended before its sign was seen"
            assert time.monotonic() < until, f"{sign} never came"
            time.sleep(0.01)
    assert process.returncode == -signal.SIGKILL


def test_a_study_killed_twice_and_one_that_nobody_killed_end_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "a user's work"
    folder.mkdir()
    torch.manual_seed(0)
    torch.save(ResNet(18).state_dict(), folder / "resnet18.pth")

    with started(folder, "whole", 1) as whole:
        for sign in SIGNS:
            kill_at(folder / "killed" / sign, folder, "killed", 2)
            assert not (folder / "killed/verdict.json").exists()
        with started(folder, "killed", 2) as killed:
            end_of(killed)
        printed = end_of(whole)

    costs = [json.loads(line) for line in (folder / "killed/costs.jsonl").read_text().splitlines()]
    plan = json.loads((folder / "killed/plan.json").read_text())
    assert {cost["id"] for cost in costs} == {run["id"] for run in plan["runs"]}
    again = {cost["id"] for cost in costs if cost["starts"] > 1}
    assert {"scenes/test", "runs/d3/true/0"} <= again
    # At most the two that ran side by side were begun again at each kill.
    assert len(again) <= 2 * len(SIGNS)

    for name in RESULT:
        assert lasting(folder / "killed" / name) == lasting(folder / "whole" / name), name
    sentence = json.loads((folder / "whole/verdict.json").read_text())["verdicts"]["d3"]["sentence"]
    assert sentence in printed
    assert sentence.startswith("one student: ")
    assert sentence in (folder / "whole/report.md").read_text()
    assert not (folder / "whole/features").exists()
