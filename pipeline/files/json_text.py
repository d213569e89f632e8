"""JSON files, of bounded size and written whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.errors import DataError
from pipeline.files.plain import read_plain
from pipeline.files.writing import written_text

MAX_JSON = 50_000_000
"""Largest JSON file accepted, in bytes; the index of 100,000 shards takes half of it."""


def parse_json(text: str | bytes, path: Path) -> Any:
    """Parse what stands in a JSON file.

    Raises:
        DataError: not JSON, or more of it than memory holds.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON: {error}: mend it, or run again what wrote it") from error
    except MemoryError as error:
        raise DataError(f"{path}: takes too much memory: is it the right file?") from error


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object.

    Raises:
        DataError: the file is missing, too large or not a JSON object.
    """
    try:
        content = parse_json(read_plain(path, MAX_JSON), path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}: run the stage that writes it first") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a JSON object, found a {type(content).__name__}")
    return content


def write_json(path: Path, content: object, *, allow_nan: bool = False) -> None:
    """Write sorted, indented JSON, brought to the disk.

    Raises:
        ValueError: a number is not finite, and ``allow_nan`` is off.
    """
    with written_text(path, durable=True) as file:
        json.dump(content, file, indent=2, sort_keys=True, allow_nan=allow_nan)
        file.write("\n")
