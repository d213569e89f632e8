"""Reports and overviews of what the stages wrote; the folder says which kind it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.align import page as align_page
from pipeline.errors import DataError, UsageError
from pipeline.files.json_text import read_json
from pipeline.mine import page as mine_page
from pipeline.pages import html
from pipeline.shards.index import INDEX, load_index


def write(folder: Path, out: Path, *, root: Path | None = None, samples: int = html.SAMPLES) -> Path:
    """Write one self-contained HTML page about a folder of aligned pairs or of shards; return its path.

    Raises:
        DataError: the folder is neither, or ``root`` is not there.
        UsageError: the page cannot be written, or ``root`` is given for shards.
    """
    if _is_aligned(folder):
        if root is not None and not root.is_dir():
            raise DataError(f"{root}: no such folder: correct --root")
        return html.save(align_page.build(folder, root, samples), out)
    if root is not None:
        raise UsageError(f"--root {root} has no effect on shards, which hold their pictures: leave it out")
    return html.save(mine_page.build(folder, samples), out)


def overview(folder: Path) -> list[tuple[object, ...]]:
    """A table of (name, value) rows about a folder of aligned pairs or of shards.

    Raises:
        DataError: the folder is neither.
    """
    if _is_aligned(folder):
        summary = read_json(folder / "align.json")
        return [(key, _flat(summary[key])) for key in sorted(summary)]
    index = load_index(folder)
    rows: list[tuple[object, ...]] = [("method", index.method), ("schema", index.schema_version)]
    totals = index.totals | {"classes": mine_page.named(index)}
    rows += [(key, _flat(value)) for key, value in sorted(totals.items())]
    rows += [(f"setting {key}", _flat(value)) for key, value in sorted(index.settings.items())]
    return rows + [(entry.file, f"{entry.pairs} pairs", f"{entry.patches} patches") for entry in index.shards]


def _is_aligned(folder: Path) -> bool:
    """True for a folder of ``align``, False for one of ``mine``."""
    if (folder / "align.json").is_file():
        return True
    if (folder / INDEX).is_file():
        return False
    raise DataError(f"{folder} holds neither align.json nor {INDEX}: give a folder that align or mine has finished")


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_flat, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
