"""What an export depends on, and where it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.config import OnExisting, Settings

FormatName = Literal["coco", "yolo", "folders"]


class ExportSettings(Settings):
    """What an export depends on, beside the shards.

    Attributes:
        format: ``coco`` (a JSON file a modality), ``yolo`` (a text file a picture), or ``folders`` (the pictures, and
            the boxes in one JSON Lines file).
        unclassed: the class that boxes without one get, those of ``center``, ``random`` and of pairs that fell back to
            them; None leaves such boxes out, for ``coco`` and ``yolo``.
        scores: YOLO text ends with the detector's score; programs that train on it want none.
    """

    format: FormatName
    unclassed: str | None = Field(default=None, min_length=1)
    scores: bool = False


class ExportConfig(ExportSettings):
    """All that an export takes.

    Attributes:
        shards: folder that ``mine`` wrote.
        out: folder for the export.
        on_existing: what to do with an output folder that an earlier run made.
    """

    shards: Path
    out: Path
    on_existing: OnExisting = "resume"

    def without_effect(self) -> dict[str, str]:
        """Settings that do nothing, given the others -> what would use them."""
        idle = {} if self.format == "yolo" else {"scores": "--format yolo"}
        return idle | ({"unclassed": "--format coco or yolo"} if self.format == "folders" else {})
