"""The plan of a study, as it is told before the work and written down in ``plan.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from trainer.study.plan.budget import HOUR_S
from trainer.study.plan.forecast import seconds_to_go
from trainer.study.plan.run import Run
from trainer.study.settings import Scope

STAGE = "study"


@dataclass(frozen=True)
class Plan:
    """What a study will do.

    Attributes:
        study: what decides its results; a rerun must agree.
        scope: what it trains.
        dropped: rows, controls and seeds that its budget leaves out.
        runs: in the order in which they begin.
        clips: sequence -> the clip that it is of, which intervals draw by; a sequence that is not named is its own.
        files: what runs find in the study's folder beside what earlier ones made: name -> text.
        told: what else ``plan.json`` says; a rerun need not agree.
        workers: runs side by side.
        versions: name -> version of what it runs with; a rerun need not agree, and is told.
        command: words after ``cmd-train study`` that ask the same again, but for where to.
    """

    study: Mapping[str, object]
    scope: Scope
    dropped: tuple[str, ...]
    runs: tuple[Run, ...]
    clips: Mapping[str, str]
    files: Mapping[str, str]
    told: Mapping[str, object]
    workers: int
    versions: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()

    @property
    def cost_s(self) -> float:
        """CPU-seconds that all runs are expected to take."""
        return sum(run.cost_s for run in self.runs)

    @property
    def saved(self) -> dict[str, str]:
        """What runs save together that share frozen features, as it is told."""
        return {"saved_by_shared_features": f"{sum(run.spared_s for run in self.runs) / HOUR_S:.2g} CPU-hours"}

    def record(self) -> dict[str, object]:
        """Content of ``plan.json``; how many runs go side by side is no part of it."""
        return {
            **self.told,
            **self.saved,
            "stage": STAGE,
            "versions": dict(self.versions),
            "command": list(self.command),
            "study": dict(self.study),
            "scope": asdict(self.scope),
            "dropped": list(self.dropped),
            "runs": [asdict(run) for run in self.runs],
            "clips": dict(self.clips),
            "cost_s": round(self.cost_s, 1),
        }

    def rows(self) -> list[tuple[object, ...]]:
        """What the command prints before the work."""
        hours = seconds_to_go(self.runs, (), {}, self.workers) / HOUR_S
        seeds = ", ".join(map(str, range(self.scope.seeds)))
        shown: list[tuple[object, ...]] = [(name, value) for name, value in self.study.items() if _short(value)]
        return [
            *shown,
            ("rows", " ".join(self.scope.rows)),
            ("controls", " ".join(self.scope.controls) or "-"),
            ("seeds", seeds),
            ("left out by --budget", ", ".join(self.dropped) or "nothing"),
            ("runs", len(self.runs)),
            ("expected CPU-hours", f"{self.cost_s / HOUR_S:.2g}"),
            (f"expected hours, {self.workers} side by side", f"{hours:.2g}"),
            *((name.replace("_", " "), value) for name, value in self.saved.items()),
            *((name, value) for name, value in self.told.items() if isinstance(value, str)),
        ]


def _short(value: object) -> bool:
    """Whether a value is for people to read: no hash, no table."""
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) < 40)
