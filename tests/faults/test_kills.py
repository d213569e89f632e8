"""Kill align, mine and train at random moments: the same command again gives the bytes of a run that nobody killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pipeline import images
from pipeline.files.json_text import write_json

from ..conftest import REPOSITORY, draw_pair, draw_tree, lasting
from ..test_end_to_end import SMALL, TRAIN
from .conftest import Tally

pytestmark = pytest.mark.timeout(3000)

BIN = Path(sys.executable).parent
KILLS = {"faults": {"align": 20, "mine": 20, "train": 12}, "slow": {"align": 2, "mine": 2, "train": 1}}
"""Kills by the mark of the test: the whole suite, and the short form."""


@dataclass(frozen=True)
class Stage:
    """A command without its ``--out``, and the files that must not depend on a kill."""

    words: tuple[object, ...]
    result: tuple[str, ...]

    def start(self, out: Path, *more: str) -> subprocess.Popen[str]:
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        words = [BIN / str(self.words[0]), *map(str, (*self.words[1:], "--out", out, *more))]
        return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def run(self, out: Path, *more: str) -> float:
        """Run to the end; return the seconds it took."""
        begun = time.monotonic()
        process = self.start(out, *more)
        _, told = process.communicate(timeout=900)
        assert process.returncode == 0, told
        return time.monotonic() - begun

    def content(self, out: Path) -> dict[str, bytes]:
        return {path.name: lasting(path) for name in self.result for path in sorted(out.glob(name))}


def _pairs(root: Path, sequences: int, frames: int) -> None:
    """A KAIST-style tree of a few pictures that come back again and again."""
    drawn = [[images.encode(picture, ".jpg") for picture in draw_pair(seed, (480, 384))] for seed in range(4)]
    for number in range(sequences * frames):
        for side, data in zip(("visible", "lwir"), drawn[number % 4]):
            path = root / f"set00/V{number // frames:03d}/{side}/I{number % frames:05d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Stage, dict[str, bytes], float]]:
    """A stage with its input made, what it gives when nobody kills it, and how long that takes."""
    folder = tmp_path_factory.mktemp("kills")

    @cache
    def aligned() -> Path:
        _pairs(folder / "data", 4, 40)
        cameras = {f"set00/V{n:03d}": {"homography": [1, 0, n, 0, 1, 0, 0, 0, 1]} for n in range(4)}
        write_json(folder / "known.json", {"cameras": cameras})
        words = ("cmd-prep", "align", "--root", folder / "data", "--manifest", "kaist", "--min-score", 0)
        Stage((*words, "--homographies", folder / "known.json"), ()).run(folder / "aligned")
        return folder / "aligned"

    @cache
    def stages(name: str) -> Stage:
        match name:
            case "align":
                root = draw_tree(folder / "tree", sequences=6, frames=1)
                words = ("align", "--root", root, "--manifest", "kaist", "--model", "translation", "--min-score", 0)
                return Stage(("cmd-prep", *words), ("aligned.jsonl", "rejects.jsonl", "homographies.json"))
            case "mine":
                words = ("mine", "--aligned", aligned(), "--method", "random", "--pairs-per-shard", 10)
                return Stage(("cmd-prep", *words), ("shard-*.h5", "shard-*.json", "rejects.jsonl", "index.json"))
            case _:
                shards = folder / "shards"
                Stage(("cmd-prep", "mine", "--aligned", aligned(), "--method", "center"), ()).run(shards)
                words = ("cmd-train", "--shards", shards, *TRAIN, *SMALL, "--epochs", 3)
                return Stage(words, ("model.safetensors",))

    @cache
    def whole(name: str) -> tuple[Stage, dict[str, bytes], float]:
        made, out = stages(name), folder / f"whole-{name}"
        seconds = made.run(out)
        expected = made.content(out)
        assert expected
        return made, expected, seconds

    return whole


@pytest.mark.parametrize(
    ("name", "kills"),
    [
        pytest.param(name, count, marks=getattr(pytest.mark, mark), id=f"{name}-{mark}")
        for mark, counts in KILLS.items()
        for name, count in counts.items()
    ],
)
def test_killed_at_a_random_moment_a_rerun_gives_the_same_bytes(
    stage: Callable[[str], tuple[Stage, dict[str, bytes], float]], name: str, kills: int, tmp_path: Path, tally: Tally
) -> None:
    made, expected, seconds = stage(name)
    rng = np.random.default_rng(kills)
    killed, failed = 0, []
    for attempt in range(4 * kills):
        out = tmp_path / f"{attempt}"
        workers = () if name == "train" else ("--workers", str(1 + attempt % 2))
        moment = rng.uniform(0.25, 1) * seconds
        begun = time.monotonic()
        process = made.start(out, *workers)
        try:
            process.communicate(timeout=moment)
            seconds = min(
                seconds, time.monotonic() - begun
            )  # Done before its moment came: the machine is less busy now.
            continue
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
        made.run(out, *workers)
        killed += 1
        same = made.content(out) == expected
        tally(f"kill {name}", same)
        if not same:
            left = sorted(path.name for path in out.iterdir())
            failed.append(json.dumps({"attempt": attempt, "seconds": moment, "left": left}))
        if killed == kills:
            break
    assert killed == kills, "the command ends before it can be killed: give it more to do"
    assert not failed, failed
