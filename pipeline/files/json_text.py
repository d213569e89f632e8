"""JSON files, of bounded size and written whole."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import DataError
from pipeline.files.plain import read_plain
from pipeline.files.writing import written_text
from pipeline.next_command import made_again

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
        cure = made_again(path.parent) or "run the stage that writes it first"
        raise DataError(f"cannot read {path}: {error.strerror}: {cure}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a JSON object, found a {type(content).__name__}")
    return content


def plain(value: Any) -> Any:
    """A result as JSON has it: fields by name, paths as text, null for what is no finite number.

    What has a ``record()`` is that, as it is written down elsewhere.
    """
    if hasattr(value, "record"):
        return plain(value.record())
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, str | Path):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Collection):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(path: Path, content: object, *, allow_nan: bool = False) -> None:
    """Write sorted, indented JSON, brought to the disk.

    Raises:
        ValueError: a number is not finite, and ``allow_nan`` is off.
    """
    with written_text(path, durable=True) as file:
        json.dump(content, file, indent=2, sort_keys=True, allow_nan=allow_nan)
        file.write("\n")
