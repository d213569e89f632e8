"""What the doctor is asked to look at."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from pipeline.config import Settings


class DoctorConfig(Settings):
    """Where the data set is, and how much of it is looked at; nothing is written.

    Attributes:
        root: the data set's folder.
        manifest: as for ``align``.
        detections: files of boxes, as ``mine`` takes them, whose names are to be held against the pairs.
        pairs: look at the pictures of this many pairs, spread over the data set; 0 looks at all.
        workers: local processes.
    """

    root: Path
    manifest: str = "auto"
    detections: Path | None = None
    pairs: int = Field(default=0, ge=0)
    workers: int = Field(default=1, ge=1)
