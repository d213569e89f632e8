"""The settings of ``cmd-eval``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from pipeline.config import OnExisting, Settings


class EvaluateConfig(Settings):
    """Settings of ``cmd-eval``.

    Attributes:
        dataset: manifest of the benchmark.
        out: folder for the report.
        annotations: folder of ground truth; needed for ``results``.
        results: name and folder of each tracker that was run; the first two are compared frame by frame.
        curves: folder of published curves.
        attributes: folder of attribute flags.
        frames: folder of the sequences' pictures, to draw boxes on.
        sequences: names to evaluate; none: all.
        seed: of the bootstrap.
        on_existing: what to do with a report that an earlier run made.
    """

    dataset: str
    out: Path
    annotations: Path | None = None
    results: tuple[tuple[str, Path], ...] = ()
    curves: Path | None = None
    attributes: Path | None = None
    frames: Path | None = None
    sequences: tuple[str, ...] = ()
    seed: int = Field(default=0, ge=0)
    on_existing: OnExisting = "overwrite"

    def without_effect(self) -> dict[str, str]:
        """The settings that do nothing, given the others -> what would use them."""
        idle = {} if self.results else {"frames": "--results NAME=DIR"}
        return idle if len(self.results) > 1 or self.curves else idle | {"seed": "two trackers or more"}
