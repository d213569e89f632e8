"""The runs of a study, begun in order as what they need is there, some side by side, each until it has ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import CmdTirError
from trainer.study.plan.run import CHOOSE, Run
from trainer.study.run.children import Child, Ended, stop
from trainer.study.run.launch import Launch, launch
from trainer.study.run.ledger import Cost, Ledger
from trainer.study.run.progress import Progress
from trainer.study.run.rates import filled

log = logging.getLogger(__name__)

LOGS = "logs"
POLL_S = 0.1
"""Between two looks at what runs: nothing beside the seconds that the shortest command takes to start."""
_BEGUN = b"$ python -m "


class Runner:
    """Works through the runs of a study, in this process and in children of it.

    Args:
        study: the study's folder, which is held.
        runs: in the order in which they are to begin, each after what it needs.
        workers: how many side by side.
        choose: makes what a ``choose`` run makes.
        start: starts a command.
    """

    def __init__(
        self, study: Path, runs: Sequence[Run], workers: int, choose: Callable[[Run], None], start: Launch = launch
    ) -> None:
        self.study, self.runs, self.workers = study, runs, workers
        self.ledger = Ledger(study)
        self._choose, self._start = choose, start
        self._running: dict[str, Child] = {}
        self._failed: dict[str, str] = {}

    def work(self) -> None:
        """Run whatever is not done. A run that fails keeps back only those that need it.

        Raises:
            CmdTirError: some failed; the message names the first and its log.
        """
        self._done = self.ledger.done(self.runs)
        if self._done:
            log.info("%d of %d runs are done and kept", len(self._done), len(self.runs))
        self._waiting = [run for run in self.runs if run.id not in self._done]
        try:
            with Progress(self.runs, self.workers) as progress:
                while self._begin() or self._running:
                    self._look(progress)
        except BaseException:
            stop(list(self._running.values()))
            raise
        if self._failed:
            name, how = next(iter(self._failed.items()))
            others = f"; {len(self._failed) - 1} more failed" if len(self._failed) > 1 else ""
            raise CmdTirError(
                f"{name} {how}: see {self._log(name)}{others}; all else is kept: run the same command again to go on"
            )

    def _begin(self) -> bool:
        """Begin what can begin; whether something was done that others may have waited for."""
        ready = [run for run in self._waiting if self._done.issuperset(run.needs)]
        for run in ready:
            if run.command[0] == CHOOSE:
                self._waiting.remove(run)
                self._choose(run)
                self._add(run, Ended(0, 0.0, 0.0), 1)
                return True
            if len(self._running) < self.workers:
                self._waiting.remove(run)
                self._running[run.id] = self._child(run)
        return False

    def _child(self, run: Run) -> Child:
        path = self._log(run.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        starts = path.read_bytes().count(_BEGUN) if path.is_file() else 0
        words = [filled(word, self.study) for word in run.command]
        return Child(run, self._start(self.study, words, path), path, starts + 1)

    def _look(self, progress: Progress) -> None:
        """Wait a little, and see what has ended."""
        if self._running:
            time.sleep(POLL_S)
        for child in list(self._running.values()):
            if (ended := child.ended()) is None:
                continue
            del self._running[child.run.id]
            if ended.code:
                self._fail(child, child.why(ended.code))
            elif not (self.study / child.run.makes).exists():
                self._fail(child, f"ended, and did not make {child.run.makes}")
            else:
                self._add(child.run, ended, child.starts)
                progress.ended(self.ledger.costs[child.run.id], self._done, self._seconds(), self._costs())
        progress.tick(self._done, self._seconds(), self._costs())

    def _fail(self, child: Child, how: str) -> None:
        self._failed[child.run.id] = how
        log.warning("warning: %s %s: see %s; runs that do not need it go on", child.run.id, how, child.log)

    def _add(self, run: Run, ended: Ended, starts: int) -> None:
        self.ledger.add(run, ended.cpu_s, ended.wall_s, starts)
        self._done.add(run.id)

    def _seconds(self) -> dict[str, float]:
        return {name: child.seconds() for name, child in self._running.items()}

    def _costs(self) -> list[Cost]:
        return [cost for name, cost in self.ledger.costs.items() if name in self._done]

    def _log(self, name: str) -> Path:
        return self.study / LOGS / f"{name}.log"
