"""An output folder that one run owns: locked, tied to its settings, resumable."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

from pipeline.config import OnExisting
from pipeline.errors import CmdTirError, UsageError
from pipeline.files.json_text import read_json, write_json
from pipeline.files.writing import parts_of

PLAN = "plan.json"
"""What the folder is being made from; a rerun must agree with it. Written before the first piece of work."""


@contextlib.contextmanager
def locked(folder: Path, made: tuple[str, ...]) -> Iterator[None]:
    """Keep other runs out of an output folder, and sweep up the parts of those that were killed.

    Args:
        folder: made when missing.
        made: glob patterns of what a run makes.

    Raises:
        UsageError: it cannot be written.
        CmdTirError: another run holds it now.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a")
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}: choose another --out") from error
    with lock:
        try:
            # A lock dies with its process; a lock *file* would outlive a kill and block the rerun.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CmdTirError(f"another run is writing to {folder}: wait for it, or choose another --out") from error
        _sweep(folder, made)
        yield


@contextlib.contextmanager
def owned(folder: Path, plan: dict[str, object], on_existing: OnExisting, made: tuple[str, ...]) -> Iterator[None]:
    """Hold an output folder for the length of a run.

    Args:
        folder: made when missing.
        plan: JSON-able settings and input fingerprint that decide the result.
        on_existing: ``resume`` keeps finished work if the plan agrees, ``overwrite`` removes what an earlier run made,
            ``fail`` refuses any.
        made: glob patterns of what a run makes, all that ``overwrite`` may remove.

    Raises:
        UsageError: as :func:`locked`, or it holds another plan's work, or any under ``fail``.
        CmdTirError: as :func:`locked`.
    """
    with locked(folder, made):
        _reconcile(folder, json.loads(json.dumps(plan)), on_existing, made)
        yield


def _sweep(folder: Path, made: tuple[str, ...]) -> None:
    """Remove the half-written files of writers that were killed; a file that is whole has another name."""
    for pattern in (part for name in made for part in parts_of(name)):
        for part in folder.glob(pattern):
            part.unlink()


def _reconcile(folder: Path, plan: dict[str, object], on_existing: OnExisting, made: tuple[str, ...]) -> None:
    """Bring an existing folder into a state the run may go on from, or refuse."""
    existing = sorted(path for pattern in made for path in folder.glob(pattern) if path.is_file() and path.name != PLAN)
    if existing and on_existing == "fail":
        raise UsageError(f"{folder} already holds {existing[0].name}: choose another --out or --on-existing overwrite")
    if existing and on_existing == "resume":
        if not (folder / PLAN).is_file():
            raise UsageError(
                f"{folder} holds {existing[0].name} but no {PLAN}: choose another --out or --on-existing overwrite"
            )
        changed = _differences(read_json(folder / PLAN), plan)
        if changed:
            raise UsageError(
                f"{folder} was made with other settings or input ({'; '.join(changed)}): "
                "choose another --out or --on-existing overwrite"
            )
        return
    for path in existing:
        path.unlink()
    write_json(folder / PLAN, plan)


def _differences(old: object, new: object, name: str = "") -> list[str]:
    """Leaves in which two JSON values differ, as ``key: old -> new``."""
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[str] = []
        for key in sorted(old.keys() | new.keys()):
            found += _differences(old.get(key), new.get(key), f"{name}.{key}" if name else key)
        return found
    return [] if old == new else [f"{name}: {old} -> {new}"]
