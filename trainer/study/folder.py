"""The folder of a study: whose it is, what another study may not touch, and what is put into it before the work."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.files.hashing import file_sha256
from pipeline.files.json_text import read_json, write_json
from pipeline.files.writing import write_bytes, write_text
from pipeline.runtime.asked import keep_settings
from pipeline.runtime.output import PLAN, refuse_existing, refuse_other
from trainer.study.plan.plan import STAGE, Plan
from trainer.study.plan.run import INIT, PICTURES
from trainer.study.results import RESULTS
from trainer.study.run import LOGS, RATES
from trainer.study.run.ledger import COSTS
from trainer.study.settings import StudyConfig

log = logging.getLogger(__name__)

FEATURES = "features"
"""Features of the frozen backbone that runs share, while the study is at work."""
MADE = (PLAN, COSTS, RESULTS, INIT, "verdict.json", "report.*", "*.yaml", "*.txt", "truth-*.jsonl", f"{RATES}/*.json")
"""Patterns of what a study writes itself; the rest is made by the commands that it starts."""


def refuse_others(config: StudyConfig, plan: Plan) -> None:
    """Refuse a folder that holds another study, or, under ``fail``, any; nothing is changed.

    A study with a larger budget is the same study, and goes on.

    Raises:
        UsageError: it does, or it holds what no study made.
    """
    old = _earlier(config.out)
    if old is None:
        if config.out.is_dir() and any(path for path in config.out.iterdir() if path.name != ".lock"):
            raise UsageError(f"{config.out} is not empty and holds no study: choose another --out")
        return
    if config.on_existing == "fail":
        refuse_existing(config.out, PLAN)
    if config.on_existing == "resume":
        refuse_other(config.out, {"study": old["study"]}, {"study": dict(plan.study)}, {})


def prepare(config: StudyConfig, plan: Plan) -> None:
    """Bring a folder that is held to where the plan's runs can begin.

    Args:
        config: of the study.
        plan: of the study.

    Raises:
        UsageError: as :func:`refuse_others`.
    """
    refuse_others(config, plan)
    out = config.out
    old = _earlier(out)
    if old is not None and config.on_existing == "overwrite":
        _remove(out, old)
    elif old is not None:
        _tell_versions(out, old, plan)
    if not (out / INIT).is_file() or file_sha256(out / INIT) != plan.study["init"]:
        write_bytes(out / INIT, config.init.read_bytes())
    for name, text in plan.files.items():
        write_text(out / name, text)
    write_json(out / PLAN, plan.record())
    keep_settings(out)


def _earlier(out: Path) -> dict[str, Any] | None:
    """The plan of the study that is there; None where there is none.

    Raises:
        UsageError: it is one of another stage.
    """
    if not (out / PLAN).is_file():
        return None
    old = read_json(out / PLAN)
    if old.get("stage") != STAGE or not isinstance(old.get("study"), dict) or not isinstance(old.get("runs"), list):
        raise UsageError(f"{out} is the folder of another stage ({old.get('stage')}): choose another --out")
    return old


def _tell_versions(out: Path, old: dict[str, Any], plan: Plan) -> None:
    """Say where a study goes on with other versions than those that it was begun with."""
    before, now = old.get("versions", {}), plan.versions
    if changed := [f"{name} {before[name]} -> {now[name]}" for name in now if before.get(name, now[name]) != now[name]]:
        log.warning(
            "warning: %s was begun with other versions (%s): what is done is kept, and the last digits of the rest may "
            "be others than they would have been",
            out,
            ", ".join(changed),
        )


def _remove(out: Path, old: dict[str, Any]) -> None:
    """Remove what an earlier study made, as its plan tells, in the folder itself alone."""
    tops = {top for run in old["runs"] for top in Path(str(run["makes"])).parts[:1]} | {LOGS, FEATURES, RATES, PICTURES}
    for path in (out / top for top in tops if Path(top).name == top and top not in ("..", ".")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for pattern in MADE:
        for path in out.glob(pattern):
            path.unlink()
