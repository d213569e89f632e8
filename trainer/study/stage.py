"""``cmd-train study``: plan, run, collect, judge, show."""

from __future__ import annotations

import functools
import logging
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pipeline.errors import CmdTirError
from pipeline.files.hashing import file_sha256
from pipeline.runtime.output import locked
from trainer import DISTRIBUTION
from trainer.study.folder import FEATURES, MADE, prepare, refuse_others
from trainer.study.judge import write_verdict
from trainer.study.plan import Run
from trainer.study.plan.budget import fit
from trainer.study.plan.order import in_order
from trainer.study.plan.plan import Plan
from trainer.study.rates import best_rate
from trainer.study.report import write_report
from trainer.study.results import RESULTS, ResultRow, write_results
from trainer.study.run import Runner, collect, tries, write_rate
from trainer.study.run.launch import Launch, launch
from trainer.study.settings import StudyConfig
from trainer.study.worlds.choice import world_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Studied:
    """What a study left.

    Attributes:
        sentences: the verdicts, that on d3 first.
        results: how many rows ``results.jsonl`` has.
        report: the page.
        files: all that lies there of what the command makes: files, and folders of what lies deeper.
    """

    sentences: tuple[str, ...]
    results: int
    report: Path
    files: tuple[Path, ...]

    def rows(self) -> list[tuple[object, ...]]:
        """What the command prints."""
        return [
            *(("verdict", sentence) for sentence in self.sentences),
            ("results", f"{self.results:,} rows in {RESULTS}"),
            ("report", self.report),
        ]


def plan_study(config: StudyConfig) -> Plan:
    """What a study will do; nothing is written.

    Raises:
        UsageError: settings that do not go together, a folder with another study, or a budget that is too small.
        DataError: what it is to look at cannot be used.
    """
    world = world_of(config)
    scope, dropped = fit(world.scope, world.runs, config.budget)
    study = {
        "world": world.name,
        "tracker": config.tracker,
        "preset": config.preset,
        "seeds": world.scope.seeds,
        "patches": world.patches,
        "init": file_sha256(config.init),
        **world.inputs,
    }
    versions = {name: version(name) for name in (DISTRIBUTION, "torch", "numpy")}
    asked = config.model_copy(update={"seeds": world.scope.seeds, "patches": world.patches})
    runs = tuple(in_order(world.runs(scope)))
    plan = Plan(
        study=study,
        scope=scope,
        dropped=tuple(dropped),
        runs=runs,
        clips=world.clips,
        files=world.files,
        told=world.told(scope),
        workers=config.workers,
        versions=versions,
        command=asked.words(),
    )
    refuse_others(config, plan)
    return plan


def run_study(config: StudyConfig, plan: Plan, start: Launch = launch) -> Studied:
    """Do what is planned and not done yet, and say what came of it.

    Args:
        config: of the study.
        plan: of the study.
        start: starts a command.

    Raises:
        UsageError: the folder cannot be written, or holds another study.
        CmdTirError: a run failed, or another study holds the folder.
    """
    study = config.out
    with locked(study, MADE):
        prepare(config, plan)
        runner = Runner(study, plan.runs, config.workers, functools.partial(_choose, study, plan), start)
        try:
            runner.work()
        except (CmdTirError, KeyboardInterrupt):
            _show_part(study, plan)
            raise
        done = _show(study, collect(study, plan))
        # Of no use to a study that is done, and by far the largest of what it has made.
        shutil.rmtree(study / FEATURES, ignore_errors=True)
    return done


def _show(study: Path, rows: list[ResultRow]) -> Studied:
    results = write_results(study / RESULTS, rows)
    verdicts = write_verdict(study)["verdicts"]
    report = write_report(study)
    sentences = tuple(str(each["sentence"]) for each in verdicts.values())
    return Studied(sentences, results, report, tuple(sorted(study.glob("[!.]*"))))


def _show_part(study: Path, plan: Plan) -> None:
    """Show what a study that ends early has measured, if anything; why it ends is told by who ended it."""
    try:
        rows = collect(study, plan)
        if any(row.set == "test" for row in rows):
            log.info("%s shows what has been measured so far", _show(study, rows).report)
    except CmdTirError as error:
        log.warning("warning: what has been measured so far cannot be shown: %s", error)


def _choose(study: Path, plan: Plan, run: Run) -> None:
    """Choose the rate of a control by what was measured on the scenes for that."""
    control = run.command[1]
    write_rate(study, control, best_rate(tries(collect(study, plan, ("select",)), control)))
