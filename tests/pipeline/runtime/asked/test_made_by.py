"""``made_by`` in the JSON beside results, and nowhere else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files.hashing import file_sha256
from pipeline.runtime.asked import made_by

from ....conftest import Run, done


def made(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())["made_by"])


def test_shards_say_how_they_came_about_beside_them_alone(prep: Run, mined: dict[str, Path], tmp_path: Path) -> None:
    words = ("mine", "--aligned", mined["aligned"], "--method", "center", "--out", tmp_path / "a b", "--quiet")
    done(prep(*words))
    found = made(tmp_path / "a b/index.json")
    assert found["command"] == (
        f"cmd-prep mine --aligned {mined['aligned']} --method center --out '{tmp_path}/a b' --quiet --workers 1"
    )
    assert found["inputs"] == {"aligned.jsonl": file_sha256(mined["aligned"] / "aligned.jsonl")}
    assert {"cmd-tir", "python", "numpy", "h5py"} == found["versions"].keys()
    assert abs(datetime.now(UTC) - datetime.fromisoformat(found["date"])) < timedelta(minutes=5)
    for name in ("shard-00000.h5", "rejects.jsonl", "plan.json", "shard-00000.stats.json"):
        assert b"made_by" not in (tmp_path / "a b" / name).read_bytes()
    done(prep("export", tmp_path / "a b", "--format", "folders", "--out", tmp_path / "e"))
    assert made(tmp_path / "e/export.json")["command"].startswith("cmd-prep export ")


def test_of_python_there_is_no_command_and_what_did_not_go_in_is_left_out(mined: dict[str, Path]) -> None:
    assert made(mined["center"] / "index.json")["command"] is None
    assert made_by({"known": None, "init": {}, "pairs": "1f"}, np)["inputs"] == {"pairs": "1f"}


def test_synthetic_data_say_so_beside_the_truth(prep: Run, tmp_path: Path) -> None:
    words = ("--sequences", 1, "--frames", 1, "--tracking", 0, "--size", "96,96", "--workers", 1)
    done(prep("synth", "--out", tmp_path / "d", *words))
    assert made(tmp_path / "d/synth.json")["command"].startswith("cmd-prep synth --out ")
    assert "made_by" not in (tmp_path / "d/pairs/truth.json").read_text()
