"""Runs that version 0.1.0 trained, and what it tracked with them: they are gone on with, started from, and scored."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from .old_world import OLD, command, kept, unpack

TRAINED = (
    "--shards", "shards/center", "--tracker", "dimp18", "--samples-per-epoch", 2, "--batch-size", 2,
    "--loader-workers", 0, "--device", "cpu", "--set", "rates.bbe=1e-3",
)  # fmt: skip
HELD_OUT = ("--set", "held_out=0.5", "--set", "held_out_samples=1")
TRACKED = (
    "--weights", "runs/c1", "--dataset", "tir_sequences", "--root", "tracking", "--device", "cpu", "--workers", 1
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_interrupted_training_goes_on_to_its_end(work: Path) -> None:
    run = unpack(work / "runs/b1")
    start = (run / "start.safetensors").read_bytes()
    rows = (run / "metrics.jsonl").read_text().splitlines()
    words = (*TRAINED, *HELD_OUT, "--recipe", "b1", "--out", "runs/b1", "--epochs", 2)
    assert "already holds state.pt" in command(work, "cmd-train", *words, "--on-existing", "fail", code=2)
    assert "other settings or input (seed: 0 -> 1)" in command(work, "cmd-train", *words, "--seed", 1, code=2)
    command(work, "cmd-train", *words)
    now = (run / "metrics.jsonl").read_text().splitlines()
    assert now[:3] == rows
    # This network answers 0 to every box: its loss says which samples were drawn, and nothing else.
    losses = [(row["epoch"], row.get("held_out"), row["bbe"]) for row in map(json.loads, now[3:])]
    drawn = (1, None, pytest.approx(0.40193772, rel=1e-4)), (1, True, pytest.approx(0.35420501, rel=1e-4))
    assert losses == [*drawn]
    state = torch.load(run / "state.pt", weights_only=True)
    assert state["epoch"] == json.loads((run / "model.json").read_text())["epoch"] == 2
    # Its gradients are 0, so the moments that the state held make the step: Adam's second, from a master of 0.5.
    mean, square = 0.9 * 0.25 / (1 - 0.9**2), 0.999 * 0.0625 / (1 - 0.999**2)
    masters = list(state["optimizer"]["masters"].values())
    assert len(masters) == 20
    for value in masters:
        np.testing.assert_allclose(value.numpy(), 0.5 - 1e-3 * mean / (square**0.5 + 1e-8), rtol=1e-12)
    assert (run / "start.safetensors").read_bytes() == start
    held_out = json.loads((run / "held_out.json").read_text())
    assert held_out.keys() == {"before", "after", "relative_change", "test", "scores", "figures"}
    assert "start" not in held_out["figures"]["TIR alone"]["hit"]
    assert (run / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_row_starts_from_an_old_run(work: Path) -> None:
    unpack(work / "runs/c1")
    words = ("--recipe", "b2", "--init", "runs/c1", "--out", "runs/b2", "--epochs", 1)
    # It holds out what the old run did by the rule of then, although that wrote no record.
    told = command(work, "cmd-train", *TRAINED, *words, "--set", "held_out=0", code=2)
    assert "runs/c1 was split with held_out=0.5, split_seed=0" in told
    told = command(work, "cmd-train", *TRAINED, *HELD_OUT, *words)
    assert "random weights" not in told
    assert "sequences train or are held out as in runs/c1" in told
    assert not any(value.any() for value in load_file(work / "runs/b2/start.safetensors").values())
    rows = map(json.loads, (work / "runs/b2/metrics.jsonl").read_text().splitlines())
    losses = [pytest.approx(value, rel=1e-4) for value in (0.35420501, 0.38290533, 0.35354451)]
    assert [row["bbe"] for row in rows] == losses
    assert {row["side"] for row in json.loads((work / "runs/b2/split.json").read_text())["sequences"].values()} == {
        "training",
        "cut",
    }
    assert json.loads((work / "runs/b2/model.json").read_text())["tir_ranges"] == ["8-bit"]


@pytest.mark.slow
def test_all_rows_take_old_runs_for_what_they_are(work: Path) -> None:
    for name in ("b1", "c1"):
        unpack(work / "runs" / name)
    words = (*TRAINED, *HELD_OUT, "--recipe", "all", "--set", "rates.tcl=1e-3", "--out", "runs", "--dry-run")
    # Pages are left out of what is kept here; b1 was ended before it drew its own.
    (work / "runs/c1/report.html").touch()
    for epochs, c1 in ((1, "done"), (2, "to resume")):
        lines = command(work, "cmd-train", *words, "--epochs", epochs).splitlines()
        states = {line.split()[0]: re.split(r"\s{2,}", line)[1] for line in lines}
        assert (states["a1"], states["b1"], states["c1"]) == ("to do", "to resume", c1)
    assert "seed: 0 -> 1" in command(work, "cmd-train", *words, "--seed", 1, code=2)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_tracking_again_keeps_and_completes_old_results(work: Path) -> None:
    unpack(work / "runs/c1")
    told = command(work, "cmd-track", *TRACKED, "--out", "results/finished", code=2)
    assert "root: /tmp/old_work/tracking -> " in told
    for plan in work.glob("results/*/plan.json"):
        # Where the sequences lie is part of the plan: as if they had lain here from the start.
        plan.write_text(json.dumps(json.loads(plan.read_text()) | {"root": str(work / "tracking")}))
    finished, half = work / "results/finished", work / "results/unfinished"
    before = kept(finished, "*.txt"), kept(half, "car*.txt")
    assert "2 of 2 sequences are finished" in command(work, "cmd-track", *TRACKED, "--out", "results/finished")
    assert "seed: 0 -> 1" in command(work, "cmd-track", *TRACKED, "--out", "results/finished", "--seed", 1, code=2)
    assert "1 of 2 sequences are finished" in command(work, "cmd-track", *TRACKED, "--out", "results/unfinished")
    assert (kept(finished, "*.txt"), kept(half, "car*.txt")) == before
    assert (half / "dog.txt").read_bytes() == (finished / "dog.txt").read_bytes()
    noted, old = (json.loads((f / "track.json").read_text())["sequences"] for f in (half, OLD / "results/finished"))
    assert {name: entry["frames"] for name, entry in noted.items()} == {"car": 4, "dog": 3}
    assert noted["car"] == old["car"]


def test_old_results_are_scored(work: Path) -> None:
    words = ("--dataset", "tir_sequences", "--annotations", "tracking", "--results", "old=results/finished")
    command(work, "cmd-eval", *words, "--out", "report")
    scores = json.loads((work / "report/metrics.json").read_text())["trackers"]["old"]["overall"]
    # A box of 8 x 6 that stays while the target moves a pixel a frame: overlaps 1, 7/9, 6/10 and 5/11 exceed 20, 16,
    # 12 and 10 of the 21 thresholds.
    assert scores["success"] == pytest.approx(((20 + 16 + 12 + 10) / 4 + (20 + 16 + 12) / 3) / 2 / 21)
    assert scores["precision"] == 1
