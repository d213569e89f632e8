"""docs/first_day.md is a day that passes: its commands run in their order, and leave what it says to look at."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from benchmarks.random_yolo import write_random_yolo
from pipeline.cli import main
from trainer.net import build_network

from .conftest import REPOSITORY
from .test_docs import BLOCK

PAGE = (REPOSITORY / "docs/first_day.md").read_text()
COMMANDS = [code for kind, code in BLOCK.findall(PAGE) if kind == "sh"]
LEFT = re.compile(r"`((?:KAIST|aligned|shards|runs|results|report)/[\w./]+|feeds\.html)`")


@pytest.fixture
def morning(tmp_path: Path) -> Path:
    """The folder where the day begins: two archives of KAIST's, a list of half of their frames, sequences, weights."""
    pytest.importorskip("ultralytics", reason="needs ultralytics: pip install 'cmd-tir[yolo]'")
    small = "--sequences 2 --frames 12 --tracking 2 --tracking-frames 5 --seed 3"
    made = CliRunner().invoke(main, ["synth", "--out", str(tmp_path / "data"), *small.split()])
    assert made.exit_code == 0, made.output
    pairs = tmp_path / "data/pairs"
    frames = sorted(path.relative_to(pairs) for path in pairs.glob("set*/V*/visible/*.jpg"))
    (tmp_path / "imageSets").mkdir()
    lines = [f"{frame.parts[0]}/{frame.parts[1]}/{frame.stem}\n" for frame in frames[::2]]
    (tmp_path / "imageSets/train-all-20.txt").write_text("".join(lines))
    for folder in pairs.glob("set*"):
        shutil.make_archive(str(tmp_path / folder.name), "zip", pairs, folder.name)
    (tmp_path / "data/tracking").rename(tmp_path / "LSOTB-TIR")
    write_random_yolo(tmp_path / "yolov8n.pt")
    torch.save({"state_dict": build_network("nanotrack_v2").state_dict()}, tmp_path / "nanotrackv2.pth")
    shutil.rmtree(tmp_path / "data")
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_day_passes_and_leaves_what_is_to_be_looked_at(morning: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    assert sum(code.count("--samples-per-epoch 6400") for code in COMMANDS) == 2
    for code in COMMANDS:
        words = ["bash", "-ec", code.replace("--samples-per-epoch 6400", "--samples-per-epoch 64")]
        done = subprocess.run(words, cwd=morning, env=environment, capture_output=True, text=True, check=False)
        # The doctor ends with 1 where anything is worth a look, as the page says.
        assert done.returncode in ((0, 1) if code.startswith("cmd-prep doctor") else (0,)), f"{code}\n{done.stderr}"
    named = LEFT.findall(PAGE)
    assert {"aligned/preview/report.html", "runs/c1/report.html", "report/report.html"} < set(named)
    assert [name for name in named if not (morning / name).exists()] == []
    assert (morning / "aligned/aligned.jsonl").read_text().count("\n") == 12
    table = (morning / "report/tables.md").read_text()
    assert all(re.search(rf"\| {name}\b", table) for name in ("student", "teacher", "template"))


def test_every_program_has_its_part_in_the_day() -> None:
    scripts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]
    assert [name for name in scripts if not any(name in code for code in COMMANDS)] == []
