"""What alignment depends on, and where it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.config import Settings, ValueRange, Whereabouts, recorded
from pipeline.pairing.registration.register import Model

RESULTS = 2
"""Raised by a change that alters what equal settings give: a finished folder of a lower number is kept, which is told,
an unfinished one refused."""
BEFORE: dict[str, object] = {}
"""Settings that came after 0.1 -> what was done before they came."""


class AlignSettings(Settings):
    """What the result depends on, beside the data set's files, its manifest, and known matrices.

    Attributes:
        model: the family of TIR -> RGB matrices; ``auto`` takes the simplest that the evidence supports.
        estimate: ``pair``, ``sequence`` (one matrix a camera), or None for what the manifest says.
        min_score: pairs that score lower are rejected; 0 keeps every pair that decodes, with its best estimate.
        tir_range: raw values of 16-bit TIR that become 0 and 255; None takes the manifest's policy.
        write_images: also write the aligned pictures.
        preview: do only this many pairs, spread over the data set, into ``out/preview``; 0 does all.
    """

    model: Model = "auto"
    estimate: Literal["pair", "sequence"] | None = None
    min_score: float = Field(default=0.3, ge=0, le=1)
    tir_range: ValueRange | None = None
    write_images: bool = False
    preview: int = Field(default=0, ge=0)

    def record(self) -> dict[str, object]:
        """The settings, as they are written down."""
        return recorded(self.model_dump(mode="json", include=set(AlignSettings.model_fields)), BEFORE)


class AlignWhereabouts(Whereabouts):
    """Where the data set is and where the work runs; of the files named here the content counts, not the place.

    Attributes:
        root: the data set's folder.
        manifest: name of a shipped manifest, a layout, or a YAML file; ``auto`` recognises the layout.
        homographies: JSON file of known matrices, as ``align`` writes it.
    """

    root: Path
    manifest: str = "auto"
    homographies: Path | None = None


class AlignConfig(AlignSettings, AlignWhereabouts):
    """All that a run of ``align`` takes: its settings and its whereabouts."""

    def without_effect(self) -> dict[str, str]:
        """The settings that do nothing, given the others -> what would use them."""
        idle = {"workers": "local processes, without --scheduler"} if self.scheduler else {}
        if self.homographies and self.estimate == "sequence":
            idle["estimate"] = "runs without --homographies, whose matrices are taken as they are"
        return idle | ({"on_existing": "runs without --preview, which is made anew"} if self.preview else {})
