"""Reports and overviews of what the stages wrote; the folder says which kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.align import page as align_page
from pipeline.errors import DataError, UsageError
from pipeline.files.json_text import read_json
from pipeline.files.nearby import nearby
from pipeline.mine import page as mine_page
from pipeline.next_command import made_again
from pipeline.pages import html
from pipeline.pages.settings_table import flat
from pipeline.runtime.asked import MADE_BY, keep_settings
from pipeline.shards.index import INDEX, load_index

Table = list[tuple[object, ...]]
ALIGNED = "align.json"
"""What only a finished folder of ``align`` has."""
_APART = ("cameras", "truth", "settings", "versions", MADE_BY)
"""What ``align.json`` holds that is a table of its own."""
_CALLED = {"score_quantiles": "score at 0, 5, 25, 50, 75, 95, 100 %"}
"""What does not say of itself what it is."""


def write(folder: Path, out: Path | None = None, *, root: Path | None = None, samples: int = html.SAMPLES) -> Path:
    """Write one self-contained HTML page about a folder of aligned pairs or of shards; return its path.

    Args:
        folder: that ``align`` or ``mine`` has finished.
        out: of the page; None is ``report.html`` in the folder.
        root: the data set's folder, if it has moved since.
        samples: pairs to draw.

    Raises:
        DataError: the folder is neither, or ``root`` is not there.
        UsageError: the page cannot be written, or ``root`` is given for shards.
    """
    aligned, page = _is_aligned(folder), out or folder / "report.html"
    if aligned:
        if root is not None and not root.is_dir():
            raise DataError(f"{root}: no such folder: correct --root")
        html.save(align_page.build(folder, root, samples), page)
    elif root is not None:
        raise UsageError(f"--root {root} has no effect on shards, which hold their pictures: leave it out")
    else:
        html.save(mine_page.build(folder, samples), page)
    if out is not None:
        # In the folder itself the page is a part of what stands there, and is drawn by what made that too.
        keep_settings(out)
    return page


def overview(folder: Path) -> list[Table]:
    """Tables about a folder of aligned pairs or of shards: what it holds first, then cameras or shards, settings, more.

    Raises:
        DataError: the folder is neither.
    """
    if _is_aligned(folder):
        summary = read_json(folder / ALIGNED)
        apart = {key: value for key in _APART if isinstance(value := summary.get(key), dict) and value}
        held = {_CALLED.get(key, key): value for key, value in summary.items() if key not in apart}
        return [_facts(held), *(_table(key, value) for key, value in apart.items())]
    index = load_index(folder)
    totals = index.totals | {"classes": mine_page.named(index)}
    shards: Table = [("shard", "pairs", "patches"), *((each.file, each.pairs, each.patches) for each in index.shards)]
    about: Table = [("method", index.method), ("schema", index.schema_version)]
    return [about + _facts(totals), shards, _table("settings", mine_page.settings_of(index))]


def _facts(content: Mapping[str, Any]) -> Table:
    return [(key, flat(value)) for key, value in sorted(content.items())]


def _table(name: str, content: Mapping[str, Any]) -> Table:
    """Under its name a row a key; where the values are mappings themselves, their keys are the columns."""
    if not all(isinstance(value, dict) for value in content.values()):
        return [(name, ""), *_facts(content)]
    columns = list(dict.fromkeys(column for value in content.values() for column in value))
    rows = [(key, *(flat(value.get(column)) for column in columns)) for key, value in content.items()]
    return [(name, *columns), *rows]


def _is_aligned(folder: Path) -> bool:
    """True for a folder of ``align``, False for one of ``mine``."""
    if (folder / ALIGNED).is_file():
        return True
    if (folder / INDEX).is_file():
        return False
    meant = nearby(folder, lambda near: (near / ALIGNED).is_file() or (near / INDEX).is_file())
    cure = made_again(folder) or f"{meant}give a folder that align or mine has finished"
    raise DataError(f"{folder} holds neither {ALIGNED} nor {INDEX}: {cure}")
