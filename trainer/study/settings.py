"""What is asked of a study, and how much of that fits its budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.config import OnExisting, Settings

PresetName = Literal["toy", "quick", "laptop", "full"]
"""``toy`` is for tests: it ends within a minute and says nothing."""


@dataclass(frozen=True)
class Scope:
    """What a study trains: what its preset names, less what its budget leaves out.

    Attributes:
        rows: of Table 1 and beyond it.
        controls: what d3's pairs are replaced by.
        seeds: how many, from 0 on.
    """

    rows: tuple[str, ...]
    controls: tuple[str, ...]
    seeds: int

    def without(self, name: str) -> Scope:
        """The same without a row, a control, or (``seed 2``) the last seed."""
        if name == f"seed {self.seeds - 1}":
            return replace(self, seeds=self.seeds - 1)
        rows, controls = (tuple(each for each in names if each != name) for names in (self.rows, self.controls))
        return replace(self, rows=rows, controls=controls)


class StudyConfig(Settings):
    """What the command is asked.

    Attributes:
        out: the study's folder.
        tracker: base tracker.
        init: released weights, or a torchvision ResNet, that the teacher starts from.
        preset: how large the study is.
        seeds: of students, where it is not the preset's number.
        budget: CPU-hours that the plan may be expected to take; what does not fit is left out, and told.
        workers: runs side by side, each on one thread; no result depends on it.
        pairs: folders of aligned pairs; none in the synthetic world, which makes its own.
        test: folder of sequences with truth; None in the synthetic world.
        patches: of the whole chain; None is the world's own.
        select: of real sequences those on which rates are chosen: names with commas between them, ``*`` for any
            letters, or a file with one a line; None draws a tenth of the scenes.
        clips: table of real sequences and the recordings that they are of; those not named are each their own.
        weights: of the YOLO detector that finds the detection patches of real pairs.
        detections: boxes in files, which are these patches instead.
        on_existing: what to do with a folder that an earlier study made.
    """

    out: Path
    tracker: str = "dimp18"
    init: Path
    preset: PresetName = "quick"
    seeds: int | None = Field(default=None, ge=1)
    budget: float | None = Field(default=None, gt=0)
    workers: int = Field(default=1, ge=1)
    pairs: tuple[Path, ...] = ()
    test: Path | None = None
    patches: Literal["center", "detection"] | None = None
    select: str | None = None
    clips: Path | None = None
    weights: Path | None = None
    detections: Path | None = None
    on_existing: OnExisting = "resume"

    def words(self) -> tuple[str, ...]:
        """The options that ask the same again, but for where to and how many side by side."""
        words: list[str] = []
        for name in ("tracker", "init", "preset", "seeds", "budget", "pairs", "test", "patches", "select", "clips",
                     "weights", "detections"):  # fmt: skip
            value = getattr(self, name)
            for each in value if isinstance(value, tuple) else (value,):
                if each is not None:
                    words += [f"--{name}", f"{each}h" if name == "budget" else str(each)]
        return tuple(words)
