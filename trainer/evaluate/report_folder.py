"""The folder of a report: what in it an evaluation made, and may be replaced; anything else stays, or is a refusal."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pipeline.config import OnExisting
from pipeline.errors import DataError, UsageError
from pipeline.files.hashing import text_sha256
from pipeline.files.json_text import read_json, write_json
from pipeline.runtime.asked import MADE_BY, drop_settings, keep_settings
from pipeline.runtime.output import locked, refuse_existing, refuse_other
from trainer.evaluate.ope import THRESHOLDS
from trainer.evaluate.report.strips import strip_name

METRICS, TABLES, TEX, REPORT = "metrics.json", "tables.md", "tables.tex", "report.html"
_PLOTS = (*THRESHOLDS, "attributes")
_PATTERNS = (
    METRICS,
    TABLES,
    TEX,
    REPORT,
    *(f"{name}.{suffix}" for name in (*_PLOTS, "frames_*") for suffix in ("svg", "png")),
)
"""What any report holds."""


def files_of(plots: Sequence[str]) -> list[str]:
    """Names of all files of a report with these plots."""
    return sorted([METRICS, TABLES, TEX, REPORT, *(f"{name}.{suffix}" for name in plots for suffix in ("svg", "png"))])


@contextlib.contextmanager
def held_report(out: Path, content: Mapping[str, Any], on_existing: OnExisting) -> Iterator[None]:
    """Hold the folder while a report is written; its ``metrics.json`` is, and an earlier report is gone, at the start.

    So a run that is killed leaves what the next one knows as a report.

    Args:
        out: made when missing.
        content: of ``metrics.json``; ``files`` are the names of all files.
        on_existing: ``overwrite`` replaces a report, ``resume`` one of equal settings and input, ``fail`` none.

    Raises:
        UsageError: the folder cannot be written, or holds what may not be replaced.
        CmdTirError: another run holds it now.
    """
    names: list[str] = content["files"]
    with locked(out, _PATTERNS):
        earlier = _earlier(out)
        made = _made(earlier, out)
        if foreign := [name for name in names if name not in made and (out / name).exists()]:
            raise UsageError(f"{out} holds {foreign[0]}, which cmd-eval did not make: choose another --out")
        if made and on_existing == "fail":
            refuse_existing(out, METRICS)
        if made and on_existing == "resume":
            refuse_other(out, _plan(earlier), _plan(content), {})
        for name in set(made) - {METRICS}:
            (out / name).unlink(missing_ok=True)
        drop_settings(out)
        keep_settings(out)
        write_json(out / METRICS, content)
        yield


def _earlier(out: Path) -> dict[str, Any]:
    """What the report that is there says; empty where there is none, or the file is not one's own."""
    try:
        content: dict[str, Any] = read_json(out / METRICS)
    except DataError:
        return {}
    ours = isinstance(content.get("trackers"), dict) and {"protocol", "definition", "settings"} <= content.keys()
    return content if ours else {}


def _made(earlier: Mapping[str, Any], out: Path) -> list[str]:
    """Names of the files of an earlier report; one that does not list them is of before there were some."""
    if not earlier:
        return []
    if isinstance(earlier.get("files"), list):
        # A report may come from anybody: what it lists is removed in its own folder alone.
        listed = [name for name in map(str, earlier["files"]) if Path(name).name == name]
        return [name for name in listed if any(fnmatchcase(name, known) for known in _PATTERNS)]
    sequences = {name for tracker in earlier["trackers"].values() for name in tracker["sequences"]}
    made = {*files_of([*_PLOTS, *map(strip_name, sequences)])} - {TEX}
    return [name for name in sorted(made) if (out / name).is_file()]


def _plan(content: Mapping[str, Any]) -> dict[str, object]:
    """What decides a report: its settings, and by a hash what was measured."""
    plain = json.loads(json.dumps(content))
    settings = {name: value for name, value in plain["settings"].items() if name != "versions"}
    measured = {name: value for name, value in plain.items() if name not in ("settings", "files", MADE_BY)}
    return {"settings": settings, "measured": text_sha256(json.dumps(measured, sort_keys=True))}
