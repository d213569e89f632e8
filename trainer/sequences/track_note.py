"""What ``cmd-track`` says in a folder of results about how they were made."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import DataError
from pipeline.files.json_text import read_json

TRACK = "track.json"


def tracked_by(folder: Path) -> str | None:
    """The tracker whose results a folder says it holds; None where it does not say, as with those of other programs."""
    try:
        name = read_json(folder / TRACK).get("tracker")
    except DataError:
        return None
    return name if isinstance(name, str) else None
