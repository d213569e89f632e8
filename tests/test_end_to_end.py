"""The real commands as a user types them: synth, align, mine, verify, report, train, kill, resume."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.records import AlignedPair, read_rows
from trainer.checkpoints.weights import load_weights

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

BIN = Path(sys.executable).parent
TRAIN = (
    "--recipe",
    "c1",
    "--tracker",
    "dimp18",
    "--samples-per-epoch",
    "4",
    "--batch-size",
    "2",
    "--loader-workers",
    "0",
)
SMALL = ("--set", "held_out_samples=0", "--set", "rates.tcl=1e-4")


def command(*words: object, cwd: Path, code: int = 0) -> str:
    done = subprocess.run(
        [BIN / str(words[0]), *map(str, words[1:])], cwd=cwd, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder, with a space in its name, in which synth and align have run."""
    folder = tmp_path_factory.mktemp("a user's work")
    command("cmd-prep", "synth", "--out", "data", "--sequences", 3, "--frames", 6, "--tracking", 0, cwd=folder)
    command("cmd-prep", "align", "--root", "data/pairs", "--out", "aligned", cwd=folder)
    return folder


def test_alignment_recovers_the_known_homographies(work: Path) -> None:
    summary = json.loads((work / "aligned/align.json").read_text())
    assert summary["aligned"] == 18
    assert summary["truth"]["median_px"] < 2
    assert "data:image/webp" in (work / "aligned/report.html").read_text()


@pytest.mark.parametrize("method", ["center", "random", "detection"])
def test_shards_do_not_depend_on_the_workers(work: Path, method: str) -> None:
    boxes = ("--detector", "boxes", "--detections", "data/pairs/detections.jsonl") if method == "detection" else ()
    for workers in (1, 2):
        out = f"shards/{method}-{workers}"
        words = ("--aligned", "aligned", "--method", method, "--out", out, "--pairs-per-shard", 7, "--workers", workers)
        command("cmd-prep", "mine", *words, *boxes, cwd=work)
        assert "sound" in command("cmd-prep", "verify", out, "--deep", cwd=work)
    for name in ("shard-00000.h5", "shard-00001.h5", "shard-00002.h5"):
        first, second = ((work / f"shards/{method}-{w}" / name).read_bytes() for w in (1, 2))
        assert first == second
    with h5py.File(work / f"shards/{method}-1/shard-00000.h5") as file:
        assert file["patches/rgb"].shape[1:] == (100, 100, 3)
        assert (file["patches/box"][:, 2:] > 0).all()
    command("cmd-prep", "report", f"shards/{method}-1", "--out", f"{method}.html", cwd=work)
    assert "Gaussian label" in (work / f"{method}.html").read_text()


def test_mined_patches_show_the_same_scene_point(work: Path) -> None:
    """The matrix of a pair takes TIR pixels to RGB pixels, as the truth's does."""
    truth = json.loads((work / "data/pairs/truth.json").read_text())
    known = {f"{s['sequence']}/{f['frame']}": f["homography"] for s in truth["sequences"] for f in s["frames"]}
    for row in read_rows(work / "aligned/aligned.jsonl", AlignedPair):
        estimate, exact = np.reshape(row.homography, (3, 3)), np.reshape(known[row.pair_id], (3, 3))
        points = np.array([[100, 100, 1], [500, 100, 1], [500, 400, 1], [100, 400, 1]]).T
        mapped = [(m @ points)[:2] / (m @ points)[2] for m in (estimate, exact)]
        assert np.abs(mapped[0] - mapped[1]).max() < 3


def test_a_killed_training_resumes_to_the_same_bits(work: Path) -> None:
    command("cmd-prep", "mine", "--aligned", "aligned", "--method", "center", "--out", "shards/c", cwd=work)
    shards = ("--shards", "shards/c", *TRAIN, "--epochs", 3, *SMALL)
    command("cmd-train", *shards, "--out", "whole", cwd=work)
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    killed = subprocess.Popen(
        [BIN / "cmd-train", *map(str, shards), "--out", "killed"], cwd=work, env=environment, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 600
    while not (work / "killed/state.pt").is_file() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert killed.returncode == -signal.SIGKILL, "the run ended before it could be killed: give it more epochs"
    command("cmd-train", *shards, "--out", "killed", cwd=work)
    first, second = (load_weights(work / run / "model.safetensors") for run in ("whole", "killed"))
    assert first.keys() == second.keys()
    assert all(first[name].equal(second[name]) for name in first)
