"""A world whose runs are lines of Python: a table of results in a second, and no network."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.files.hashing import text_sha256
from trainer.study import StudyConfig, stage
from trainer.study.plan import CHOOSE, Model, Run
from trainer.study.run.launch import Process
from trainer.study.settings import Scope
from trainer.study.worlds.world import World

SCOPE = Scope(("a1", "d3"), ("shuffled", "features"), 2)
RATES = (10.0, 100.0)
SEQUENCES = ("s1", "s2", "s3")


def launch(study: Path, words: Sequence[str], log: Path) -> Process:
    """Start a line of Python."""
    with log.open("ab") as output:
        return subprocess.Popen([sys.executable, "-c", *words[1:]], cwd=study, stdout=output, stderr=output)


def found(model: Model, sequences: Sequence[str] = SEQUENCES) -> str:
    """What ``two-frame`` would find: by the model's name; a rate of 100 is the better."""
    value = int(text_sha256(model.name)[:4], 16) / 0xFFFFFF + (0.5 if model.rate == RATES[1] else 0.1)
    rows = [
        {"sequence": name, "answer": answer, "measure": "iou_from_peak", "value": score, "windows": 2}
        for name in sequences
        for answer, score in (("student", value), ("the middle", 0.25))
    ]
    return json.dumps({"modality": "tir", "rows": rows})


def measure(name: str, of: str, needs: tuple[str, ...], models: Sequence[Model], patches: str = "") -> Run:
    """Models that are measured in one call."""
    files = {f"{name}/{model.name}.json": found(model) for model in models}
    code = "import os\n" + "".join(
        f"os.makedirs({name!r}, exist_ok=True); open({path!r}, 'w').write({text!r})\n" for path, text in files.items()
    )
    model = models[-1]
    place = model.row, model.control, model.seed
    words = ("trainer", code, *(f"{model.name}=runs" for model in models))
    return Run(name, words, needs, 3600.0, name, *place, "select" if of == "select" else "test", patches)


def train(model: Model, *needs: str, rate: str = "{rate:true}") -> Run:
    """A model that writes down by which rate it was trained."""
    name = f"runs/{model.row}/{model.control or 'true'}/{model.seed}"
    code = f"import os, sys\nos.makedirs({name!r}, exist_ok=True); open({name!r} + '/model', 'w').write(sys.argv[1])"
    words = ("trainer", code, f"rate_scale={rate}")
    return Run(name, words, needs, 3600.0, f"{name}/model", model.row, model.control, model.seed)


def runs(scope: Scope) -> list[Run]:
    """All runs of a part of a study."""
    tried = [Model("d3", "", 0, rate) for rate in RATES]
    made = [
        measure("found/select", "select", (), tried),
        Run("rates/true", (CHOOSE, ""), ("found/select",), 0.0, "rates/true.json"),
        measure("found/a1", "test", (), [Model("a1")]),
    ]
    for seed in range(scope.seeds):
        for control in ("", *scope.controls):
            model = Model("d3", control, seed)
            trained = train(model, "rates/true", rate="7" if control == "shuffled" else "{rate:true}")
            made += [trained, measure(f"found/{model.name}", "test", (trained.id,), [model])]
    return made


def empty_report(study: Path) -> Path:
    """In the place of what is drawn of results."""
    (study / "report.html").touch()
    return study / "report.html"


@pytest.fixture
def config(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyConfig:
    """A study in that world, whose report is empty where no test looks at it."""
    init = tmp_path / "resnet18.pth"
    init.write_bytes(b"weights")

    def world_of(config: StudyConfig) -> World:
        scope = Scope(SCOPE.rows, SCOPE.controls, config.seeds or SCOPE.seeds)
        clips = {"s1": "one", "s2": "one"}
        return World("synthetic", config.patches or "center", scope, runs, {"bc.yaml": "name: bc\n"}, clips=clips)

    monkeypatch.setattr(stage, "world_of", world_of)
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(stage, "write_report", empty_report)
    return StudyConfig(out=tmp_path / "study", init=init)
