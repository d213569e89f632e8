"""An output folder that one run owns: locked, tied to its settings, resumable."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn, TextIO

from pipeline.config import OnExisting, recorded
from pipeline.errors import CmdTirError, UsageError
from pipeline.files.json_text import read_json, write_json
from pipeline.files.writing import parts_of
from pipeline.next_command import CONFIG
from pipeline.runtime.asked import anew, drop_settings, keep_settings

log = logging.getLogger(__name__)

FIRST: dict[str, object] = {"results": 1}
_VERSION = re.compile(r"\d+\.\d+", re.ASCII)
PLAN = "plan.json"
"""What the folder is being made from; a rerun must agree with it. Written before the first piece of work."""
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""What file systems without locks answer: some mounts of NFS and Lustre."""
LOCK = ".lock"
TOLD, LONGEST, OF_A_HASH = 3, 64, 12
"""Of differences so many are told, and so many letters of a value and of a hash: more would hide which they are."""
_held: list[TextIO] = []
# A forked process has the open files too: it would keep the locks of a process that was killed.
os.register_at_fork(after_in_child=lambda: [lock.close() for lock in _held])


@contextlib.contextmanager
def locked(folder: Path, made: tuple[str, ...]) -> Iterator[None]:
    """Keep other runs out of an output folder, and sweep up the parts of those that were killed.

    Where the file system has no locks nobody is kept out, and a warning says so.

    Args:
        folder: made when missing, and removed again where the run fails before it makes anything.
        made: glob patterns of what a run makes.

    Raises:
        UsageError: it cannot be written.
        CmdTirError: another run holds it now.
    """
    fresh = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("a")
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}: choose another --out") from error
    with lock:
        held = _flock(lock, folder)
        _held.append(lock)
        try:
            _sweep(folder, made)
            yield
        except BaseException:
            _remove_empty(fresh)
            raise
        finally:
            _held.remove(lock)
            if held:
                # A process that was forked meanwhile has the open file too, and would keep the lock.
                fcntl.flock(lock, fcntl.LOCK_UN)


def _flock(lock: TextIO, folder: Path) -> bool:
    """Lock an open file; False where the file system has no locks."""
    try:
        # A lock dies with its process; a lock *file* would outlive a kill and block the rerun.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.fstat(lock.fileno()).st_nlink:
            raise BlockingIOError("the run that made the folder has just removed it")
    except BlockingIOError as error:
        raise CmdTirError(f"another run is writing to {folder}: wait for it, or choose another --out") from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise OSError(error.errno, error.strerror, str(folder / LOCK)) from error
        _tell_unlocked(error.strerror)
        return False
    return True


@functools.cache
def _tell_unlocked(reason: str) -> None:
    """Say so, once in a process that makes several folders."""
    log.warning("warning: no locks on this file system (%s): two runs into one folder are not kept apart here", reason)


@contextlib.contextmanager
def owned(
    folder: Path,
    plan: Mapping[str, object],
    on_existing: OnExisting,
    made: tuple[str, ...],
    *,
    before: Mapping[str, object] = MappingProxyType({}),
    finished: Callable[[Path], bool] = lambda _folder: False,
) -> Iterator[bool]:
    """Hold an output folder for the length of a run.

    Args:
        folder: made when missing.
        plan: JSON-able settings and input fingerprint that decide the result. ``results``, 1 where it is left out, is
            raised by a change that alters what equal settings give.
        on_existing: ``resume`` keeps finished work if the plan agrees, ``overwrite`` removes what an earlier run made,
            ``fail`` refuses any.
        made: glob patterns of what a run makes, all that ``overwrite`` may remove.
        before: keys (``recipe.seed``) that came later -> what was done before they came: a plan without one means that.
        finished: whether the work in a folder is complete, of whatever minor version of the schema.

    Yields:
        Whether the folder is complete in an older minor version of the schema: it is to be left as it is.

    Raises:
        UsageError: as :func:`locked`, or it holds another plan's work, work begun under an older schema, what no run
            made, or, under ``fail``, any.
        CmdTirError: as :func:`locked`.
    """
    with locked(folder, made):
        written = json.loads(json.dumps(recorded(plan, FIRST)))
        older = _resumed(folder, written, on_existing, made, FIRST | dict(before))
        if older and not finished(folder):
            raise UsageError(
                f"{folder} was begun under schema {older}, this is {plan['schema_version']}: finish it with "
                f"the version that began it, or {anew()}"
            )
        if older is None:
            keep_settings(folder)
        yield older is not None


def made_in(folder: Path, made: Iterable[str]) -> tuple[Path, ...]:
    """What lies in an output folder of what a run makes, its settings too: files, and folders of what lies deeper.

    Args:
        folder: the output.
        made: as for :func:`owned`.
    """
    tops = dict.fromkeys(Path(pattern).parts[0] for pattern in (*made, CONFIG))
    return tuple(sorted({path for top in tops for path in folder.glob(top)}))


def _remove_empty(fresh: list[Path]) -> None:
    """Remove folders that a run made and left empty, the innermost first; its lock, plan and settings do not count."""
    with contextlib.suppress(OSError):
        files = {path for path in fresh[0].rglob("*") if not path.is_dir()} if fresh else set()
        if fresh and files <= {fresh[0] / name for name in (LOCK, PLAN, CONFIG)}:
            shutil.rmtree(fresh[0])
            for folder in fresh[1:]:
                folder.rmdir()


def _sweep(folder: Path, made: tuple[str, ...]) -> None:
    """Remove the half-written files of writers that were killed; a file that is whole has another name."""
    for pattern in (part for name in (*made, CONFIG) for part in parts_of(name)):
        for part in filter(Path.is_file, folder.glob(pattern)):
            part.unlink()


def _resumed(
    folder: Path,
    plan: dict[str, object],
    on_existing: OnExisting,
    made: tuple[str, ...],
    before: Mapping[str, object],
) -> str | None:
    """Bring an existing folder into a state the run may go on from, or refuse.

    Returns:
        The schema version of work of an older minor version that is there; None where there is none.
    """
    _refuse_other_stage(folder, plan)
    existing = sorted(path for pattern in made for path in folder.glob(pattern) if path.is_file() and path.name != PLAN)
    if existing and not (folder / PLAN).is_file():
        raise UsageError(f"{folder} holds {existing[0].name} but no {PLAN}, so no run made it: choose another --out")
    if existing and on_existing == "fail":
        refuse_existing(folder, existing[0].name)
    if existing and on_existing == "resume":
        old = read_json(folder / PLAN)
        older = _older_minor(old.get("schema_version"), plan.get("schema_version"))
        refuse_other(folder, old | {"schema_version": plan["schema_version"]} if older else old, plan, before)
        return older
    for path in existing:
        path.unlink()
    drop_settings(folder)
    write_json(folder / PLAN, plan)
    return None


def _refuse_other_stage(folder: Path, plan: Mapping[str, object]) -> None:
    """Refuse a folder of another stage, whose plan would be replaced.

    Raises:
        UsageError: it is one.
    """
    there = read_json(folder / PLAN).get("stage") if (folder / PLAN).is_file() else None
    if there is not None and there != plan.get("stage"):
        raise UsageError(f"{folder} is the folder of another stage ({there}): choose another --out")


def refuse_existing(folder: Path, name: str) -> NoReturn:
    """Refuse a folder that holds the file ``name`` of an earlier run.

    Raises:
        UsageError: always.
    """
    raise UsageError(f"{folder} already holds {name}: {anew()}")


def refuse_other(
    folder: Path, old: Mapping[str, object], new: Mapping[str, object], before: Mapping[str, object]
) -> None:
    """Refuse a folder whose work was begun with another plan; ``before`` as for :func:`owned`.

    Raises:
        UsageError: it was; the message names what differs.
    """
    if changed := _differences(dict(old), dict(new), before):
        # What has another value now says more than what came or went with it, as a method's own settings do.
        changed.sort(key=lambda each: each.endswith(" -> None") or ": None -> " in each)
        more = [f"and {len(changed) - TOLD} more"] if len(changed) > TOLD else []
        raise UsageError(
            f"{folder} was made with other settings or input ({'; '.join([*changed[:TOLD], *more])}): {anew()}"
        )


def _older_minor(old: object, new: object) -> str | None:
    """The older of two schema versions that differ in their minor number alone; None for any other two."""
    if not (isinstance(old, str) and isinstance(new, str) and _VERSION.fullmatch(old) and _VERSION.fullmatch(new)):
        return None
    (major, minor), (now, latest) = (map(int, version.split(".")) for version in (old, new))
    return old if major == now and minor < latest else None


def _differences(old: object, new: object, before: Mapping[str, object], name: str = "") -> list[str]:
    """Leaves in which two JSON values differ, as ``key: old -> new``; ``before`` as for :func:`owned`.

    Of what has a name, as a manifest has, another name is the difference, and not all that comes with it.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        if name and old.get("name", "") != new.get("name", ""):
            return [f"{name}: {old.get('name')} -> {new.get('name')}"]
        differences: list[str] = []
        for key in sorted(old.keys() | new.keys()):
            full = f"{name}.{key}" if name else key
            was, now = (side.get(key, before.get(full)) for side in (old, new))
            differences += _differences(was, now, before, full)
        return differences
    return [] if old == new else [f"{name}: {_shown(old)} -> {_shown(new)}"]


def _shown(value: object) -> str:
    text = str(value)
    longest = OF_A_HASH if re.fullmatch("[0-9a-f]{64}", text) else LONGEST
    return text if len(text) <= longest else f"{text[:longest]}…"
