"""``costs.jsonl``: which runs of a study have ended, and what each took. It alone says that one is done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.errors import DataError
from pipeline.files.hashing import text_sha256
from pipeline.files.json_text import MAX_JSON, parse_json
from pipeline.files.plain import read_plain
from pipeline.files.writing import write_text
from trainer.study.plan.run import Run

COSTS = "costs.jsonl"


@dataclass(frozen=True)
class Cost:
    """What a run took, from its last start on.

    Attributes:
        id: of the run.
        command: hash of its words; a run by other words is another.
        cpu_s: CPU-seconds of the process and of those that it waited for.
        wall_s: seconds from start to end.
        expected_s: CPU-seconds that it was expected to take.
        starts: how often it was begun; where that is more than once, what was spent before is in neither figure.
    """

    id: str
    command: str
    cpu_s: float
    wall_s: float
    expected_s: float
    starts: int


class Ledger:
    """The costs of a study's runs, in a file that is whole at any moment.

    Args:
        study: the study's folder.

    Raises:
        DataError: the file there is not one of costs.
    """

    def __init__(self, study: Path) -> None:
        self.study, self.path = study, study / COSTS
        self.costs: dict[str, Cost] = {}
        if self.path.is_file():
            lines = read_plain(self.path, MAX_JSON).splitlines()
            self.costs = {cost.id: cost for cost in (self._cost(line) for line in lines)}

    def add(self, run: Run, cpu_s: float, wall_s: float, starts: int) -> None:
        """Write down that a run has ended."""
        cost = Cost(run.id, _words(run), round(cpu_s, 2), round(wall_s, 2), round(run.cost_s, 2), starts)
        self.costs[run.id] = cost
        lines = (json.dumps(asdict(cost), sort_keys=True) for cost in self.costs.values())
        write_text(self.path, "".join(f"{line}\n" for line in lines), durable=True)

    def done(self, runs: Sequence[Run]) -> set[str]:
        """Ids of the runs that need not be begun again; a run after one that must be is no such.

        Args:
            runs: each after what it needs.
        """
        done: set[str] = set()
        for run in runs:
            cost = self.costs.get(run.id)
            ended = cost is not None and cost.command == _words(run) and (self.study / run.makes).exists()
            if ended and done.issuperset(run.needs):
                done.add(run.id)
        return done

    def _cost(self, line: bytes) -> Cost:
        content = parse_json(line, self.path)
        try:
            return Cost(**content)
        except TypeError as error:
            raise DataError(
                f"{self.path}: not the costs of a study: remove it, and the runs are looked at again"
            ) from error


def _words(run: Run) -> str:
    return text_sha256("\0".join(run.command))
