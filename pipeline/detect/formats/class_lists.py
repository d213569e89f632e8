"""The list of class names that comes with a folder of YOLO labels: ``classes.txt``, ``obj.names`` or ``data.yaml``."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import DataError
from pipeline.files.plain import read_plain
from pipeline.files.yaml_text import parse_yaml

LISTS = ("classes.txt", "obj.names", "data.yaml", "dataset.yaml", "data.yml")
ABOVE = 2
"""Folders above the labels in which exports put it: ``data.yaml`` stands beside ``train/labels``."""
MAX_BYTES = 1_000_000


def find_list(folder: Path) -> Path | None:
    """The list in a folder of labels, or in the nearest folder above; None where there is none."""
    home = folder.absolute()
    places = [home, *home.parents[:ABOVE]]
    return next((path for place in places for name in LISTS if (path := place / name).is_file()), None)


def read_list(path: Path) -> dict[int, str]:
    """Class number -> name; empty for a YAML that lists none.

    Raises:
        DataError: it cannot be read as such a list.
        UsageError: YAML that is not allowed.
    """
    if path.suffix in (".yaml", ".yml"):
        names = parse_yaml(path, f"class names {path}").get("names", [])
        try:
            numbered = names.items() if isinstance(names, dict) else enumerate([*names])
            return {int(number): str(name) for number, name in numbered}
        except ValueError as error:
            raise DataError(f"{path}: names must be a list, or numbers and names") from error
    try:
        lines = read_plain(path, MAX_BYTES).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of class names: {error}") from error
    return {number: line.strip() for number, line in enumerate(lines) if line.strip()}
