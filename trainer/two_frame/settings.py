"""What the figures of the two-frame test depend on, and where it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.config import OnExisting, Settings, ValueRange
from pipeline.labels import LABEL_STRIDE


class TwoFrameConfig(Settings):
    """All that ``cmd-train two-frame`` takes.

    Attributes:
        checkpoints: (name, run folder or weights file) each, all of one base tracker; a single one may have no name.
        sequences: folder of sequences with truth.
        out: file of the figures, of named checkpoints a folder with ``NAME.json`` of each.
        dataset: manifest that says how the sequences lie on disk.
        only: names of the sequences to take; none: all.
        listed: text file of such names, one a line.
        modality: what the sequences are meant to show; ``tir`` refuses those in colour, ``rgb`` lets them pass.
        tracker: the base tracker; None takes what the runs say.
        window: side of the search window, pixels; None is what the weights learnt in.
        windows: how many at least; each sequence gets as many as the others.
        seed: of the windows.
        tir_range: 16-bit values that become 0 and 255; None takes the manifest's, or percentiles of the first frame.
        feature_cache: folder in which the backbones' features are kept, shared with other runs.
        device: torch device, or ``auto``.
        threads: of torch; the last bits of figures may depend on it.
        pictures: folder for pictures of some windows with what was found in them.
        show: how many.
        on_existing: what to do with figures that are there: keep those of the same windows and weights, or not.
    """

    checkpoints: tuple[tuple[str | None, Path], ...] = Field(min_length=1)
    sequences: Path
    out: Path
    dataset: str = "tir_sequences"
    only: tuple[str, ...] = ()
    listed: Path | None = None
    modality: Literal["tir", "rgb"] = "tir"
    tracker: str | None = None
    window: int | None = Field(default=None, ge=6 * LABEL_STRIDE, le=40 * LABEL_STRIDE, multiple_of=LABEL_STRIDE)
    windows: int = Field(default=500, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)
    tir_range: ValueRange | None = None
    feature_cache: Path | None = None
    device: str = "auto"
    threads: int = Field(default=1, ge=1)
    pictures: Path | None = None
    show: int = Field(default=4, ge=1)
    on_existing: OnExisting = "resume"

    def without_effect(self) -> dict[str, str]:
        """The settings that do nothing, given the others -> what would use them."""
        return {} if self.pictures else {"show": "--pictures DIR"}
