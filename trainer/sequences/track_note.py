"""What ``cmd-track`` says in a folder of results about how they were made."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import DataError
from pipeline.files.json_text import read_json

TRACK = "track.json"


def tracked_by(folder: Path) -> str | None:
    """The tracker whose results a folder says it holds; None where it does not say, as with those of other programs."""
    name = _noted(folder, "tracker")
    return name if isinstance(name, str) else None


def most_frames(folder: Path) -> int | None:
    """How many frames of each sequence were tracked at most, as a folder says; None where it does not say, or all."""
    count = _noted(folder, "max_frames")
    return count if isinstance(count, int) else None


def _noted(folder: Path, key: str) -> object:
    try:
        return read_json(folder / TRACK).get(key)
    except DataError:
        return None
