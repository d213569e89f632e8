"""What version 0.1.0 left behind (fixtures/old_work) can be read and gone on from, by the commands as typed."""

from __future__ import annotations

import bz2
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from trainer.data import WindowDataset

OLD = Path(__file__).with_name("fixtures") / "old_work"
REPOSITORY = Path(__file__).resolve().parents[1]
COMMANDS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]

MINED = {
    "center": ("--pairs-per-shard", 2, "--center-fraction", "1/3"),
    "random": ("--patches-per-pair", 2, "--seed", 3),
    "detection": ("--detector", "boxes", "--detections", "boxes.jsonl"),
}
TRAINED = (
    "--shards", "shards/center", "--tracker", "dimp18", "--samples-per-epoch", 2, "--batch-size", 2,
    "--loader-workers", 0, "--device", "cpu", "--set", "rates.bbe=1e-3",
)  # fmt: skip
HELD_OUT = ("--set", "held_out=0.5", "--set", "held_out_samples=1")
TRACKED = (
    "--weights", "runs/c1", "--dataset", "tir_sequences", "--root", "tracking", "--device", "cpu", "--workers", 1
)  # fmt: skip


def command(work: Path, *words: object, code: int = 0) -> str:
    """Run a command in a folder, as its script would start it; check its exit code and return all that it said."""
    module, function = COMMANDS[str(words[0])].split(":")
    start = f"import sys; sys.argv[0] = {str(words[0])!r}; from {module} import {function}; {function}()"
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, words[1:])], cwd=work, capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def mine(work: Path, method: str, out: str, *words: object, code: int = 0) -> str:
    """``cmd-prep mine`` as the old shards of a method were mined; a setting given twice counts as given last."""
    given = ("--aligned", "aligned", "--root", "pairs", "--method", method, "--out", out, "--patch-size", 12)
    return command(work, "cmd-prep", "mine", *given, *MINED[method], "--workers", 1, *words, code=code)


def align(work: Path, out: str, *words: object, code: int = 0) -> str:
    """``cmd-prep align`` as the old pairs were aligned."""
    return command(work, "cmd-prep", "align", "--root", "pairs", "--out", out, "--workers", 1, *words, code=code)


def kept(folder: Path, *patterns: str) -> dict[str, tuple[int, bytes]]:
    """When the files of a folder were written, and their bytes."""
    files = sorted(path for pattern in patterns for path in folder.glob(pattern))
    assert files
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def index_of(folder: Path) -> dict[str, object]:
    """``index.json`` of shards, without where the pictures lie and by which versions it was written."""
    index = json.loads((folder / "index.json").read_text())
    del index["versions"], index["source"]["root"]
    return dict(index)


def content_of(path: Path) -> dict[str, object]:
    """A shard's attributes, and its datasets as type, shape and bytes; not what another OpenCV may resample."""
    with h5py.File(path) as file:
        names: list[str] = []
        file.visit(names.append)
        found: dict[str, object] = dict(file.attrs)
        found |= {f"{name}@{key}": value for name in names for key, value in file[name].attrs.items()}
        sets = {name: file[name][()] for name in names if isinstance(file[name], h5py.Dataset)}
    found |= {name: (value.dtype.str, value.shape, value.tobytes()) for name, value in sets.items()}
    resampled = ("pairs/tir/bytes", "pairs/tir/offset", "patches/rgb", "patches/tir")
    return {name: value for name, value in found.items() if name not in ("tool_version", *resampled)}


def unpack(run: Path) -> Path:
    """Write the weights of a run where they belong."""
    for packed in run.glob("*.bz2"):
        packed.with_suffix("").write_bytes(bz2.decompress(packed.read_bytes()))
        packed.unlink()
    return run


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A copy of the old work that a test may change."""
    return shutil.copytree(OLD, tmp_path / "work")


@pytest.mark.parametrize(("method", "patches"), [("center", 3), ("random", 6), ("detection", 4)])
def test_old_shards_are_sound_and_shown(work: Path, method: str, patches: int) -> None:
    told = command(work, "cmd-prep", "verify", f"shards/{method}", "--deep", "--workers", 1)
    assert f"3 pairs, {patches} patches: sound" in told
    table = command(work, "cmd-prep", "inspect", f"shards/{method}")
    rows = dict(line.split(maxsplit=1) for line in table.splitlines())
    assert (rows["method"], rows["pairs"], rows["patches"]) == (method, "3", str(patches))
    command(work, "cmd-prep", "report", f"shards/{method}", "--out", "page.html")
    assert "Gaussian label" in (work / "page.html").read_text()


@pytest.mark.parametrize("method", MINED)
def test_mining_again_keeps_old_shards(work: Path, method: str) -> None:
    folder = work / "shards" / method
    before, index = kept(folder, "shard-*", "plan.json"), index_of(folder)
    assert "is finished in an older schema and kept" in mine(work, method, f"shards/{method}")
    assert kept(folder, "shard-*", "plan.json") == before
    assert index_of(folder) == index
    assert (folder / "rejects.jsonl").read_bytes() == (OLD / "shards" / method / "rejects.jsonl").read_bytes()


def test_unfinished_mining_of_the_older_schema_is_refused_and_mined_anew_to_the_same(work: Path) -> None:
    folder, whole = work / "shards/unfinished", OLD / "shards/center"
    before = kept(folder, "*")
    told = mine(work, "center", "shards/unfinished", code=2)
    assert "shards/unfinished was begun under schema 1.0, this is 1.1: finish it with the version that began it" in told
    assert kept(folder, "shard-00000*", "plan.json").items() <= before.items()
    mine(work, "center", "shards/unfinished", "--on-existing", "overwrite")
    assert {path.name for path in folder.iterdir()} == {path.name for path in whole.iterdir()}
    for name in ("shard-00000.h5", "shard-00001.h5"):
        new, old = content_of(folder / name), content_of(whole / name)
        labels = {"patches/label", "patches/track", "schema_version"}
        assert {key: value for key, value in new.items() if key not in labels} == {
            key: value for key, value in old.items() if key not in labels
        }
    assert "sound" in command(work, "cmd-prep", "verify", "shards/unfinished", "--deep", "--workers", 1)


def test_shards_of_both_schemas_give_the_same_windows(work: Path) -> None:
    mine(work, "center", "shards/now")
    drawn = []
    for folder, version in (("center", "1.0"), ("now", "1.1")):
        shards = work / "shards" / folder
        assert json.loads((shards / "index.json").read_text())["schema_version"] == version
        windows = WindowDataset([shards], "c1", "dimp18", samples_per_epoch=4, held_out=0.0)
        drawn.append([windows[number] for number in range(4)])
    for old, new in zip(*drawn, strict=True):
        assert old.keys() == new.keys()
        assert all(torch.equal(torch.as_tensor(value), torch.as_tensor(new[name])) for name, value in old.items())


@pytest.mark.parametrize(
    ("method", "words", "told"),
    [
        ("center", ("--patch-size", "16"), "recipe.patch_size: 12 -> 16"),
        ("center", ("--pairs-per-shard", "3"), "recipe.pairs_per_shard: 2 -> 3"),
        ("center", ("--center-fraction", "1/8"), "recipe.center_fraction: 0.3333333333333333 -> 0.125"),
        ("random", ("--seed", "4"), "recipe.seed: 3 -> 4"),
        ("detection", ("--confidence", "0.6"), "recipe.confidence: 0.25 -> 0.6"),
        ("center", ("--on-existing", "fail"), "already holds index.json"),
    ],
)
def test_old_shards_of_other_settings_are_refused(work: Path, method: str, words: tuple[str, ...], told: str) -> None:
    before = kept(work / "shards" / method, "*")
    assert told in mine(work, method, f"shards/{method}", *words, code=2)
    assert kept(work / "shards" / method, "*") == before


def test_old_shards_of_other_boxes_or_pairs_are_refused(work: Path) -> None:
    with (work / "boxes.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"pair_id": "set00/V009/I00000", "boxes": []}\n')
    assert "recipe.detections_sha256: " in mine(work, "detection", "shards/detection", code=2)
    rows = (work / "aligned/aligned.jsonl").read_text().splitlines(keepends=True)
    (work / "aligned/aligned.jsonl").write_text("".join(rows[1:]))
    assert "aligned_sha256: " in mine(work, "center", "shards/center", code=2)


def test_aligning_again_keeps_old_pairs(work: Path) -> None:
    before = kept(work / "aligned", "*")
    assert "aligned is finished and kept" in align(work, "aligned")
    assert kept(work / "aligned", "*.json*") | kept(work / "aligned", ".lock") == before
    assert "settings.min_score: 0.3 -> 0.5" in align(work, "aligned", "--min-score", 0.5, code=2)
    assert "reasons          blank 1" in command(work, "cmd-prep", "inspect", "aligned")
    command(work, "cmd-prep", "report", "aligned", "--root", "pairs", "--out", "page.html")
    assert "data:image/jpeg" in (work / "page.html").read_text()


def test_unfinished_aligning_is_refused_since_pairs_are_registered_otherwise_now(work: Path) -> None:
    before = kept(work / "aligned_unfinished", "*.json", "parts/*")
    assert "results: 1 -> 2" in align(work, "aligned_unfinished", code=2)
    assert kept(work / "aligned_unfinished", "*.json", "parts/*") == before
    align(work, "aligned_unfinished", "--on-existing", "overwrite")
    old, new = (
        [json.loads(line)["pair_id"] for line in (work / name / "aligned.jsonl").read_text().splitlines()]
        for name in ("aligned", "aligned_unfinished")
    )
    assert new == old
    assert json.loads((work / "aligned_unfinished/align.json").read_text())["reasons"] == {"blank": 1}


def test_unfinished_aligning_under_other_settings_is_refused(work: Path) -> None:
    before = kept(work / "aligned_unfinished", "*.json", "parts/*")
    assert "settings.model: auto -> affine" in align(work, "aligned_unfinished", "--model", "affine", code=2)
    assert kept(work / "aligned_unfinished", "*.json", "parts/*") == before


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
