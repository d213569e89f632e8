"""Writing a file whole or not at all: what is under its name was finished, what was not is gone or named a part.

Every file that a command writes goes through here. The calls that must write otherwise are named in
``tests/pipeline/files/test_writing.py``: a log that grows, TensorBoard's files, the lock of a folder, and what fills a
part that was handed out here.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


@contextlib.contextmanager
def written(path: Path, *, durable: bool = False, suffix: str = "") -> Iterator[Path]:
    """A path to write to; what stands there becomes ``path`` when the block ends, and is removed where it fails.

    No two writers share a part: on a cluster, a worker that was given up may still be writing what another now writes.
    A process that is killed leaves its part behind. The next run that locks the folder sweeps it up, where the file is
    one of those that such a run makes (:func:`parts_of`). Beside a single file at a place of the user's choosing, such
    as a report or an export, it stays: nobody owns that folder.

    Args:
        path: of the file, in a folder that is there.
        durable: bring the bytes to the disk first: for what marks work as done, or holds a result.
        suffix: ends the part's name, for writers that tell a format by it.
    """
    # torch writes the name without its last suffix into a file: what comes after the last dot is all that may vary.
    part = path.with_name(f"{path.name}.part-{secrets.token_hex(4)}{suffix}")
    try:
        yield part
        if durable:
            with part.open("rb") as file:
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        # On a full disk what is left of it would be in the way.
        part.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def written_text(path: Path, *, durable: bool = False) -> Iterator[TextIO]:
    """A UTF-8 text file to write to, as :func:`written`; of a file's name that is not UTF-8, the bytes are escaped."""
    with written(path, durable=durable) as part, part.open("w", encoding="utf-8", errors="backslashreplace") as file:
        yield file


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a UTF-8 text file, as :func:`written`."""
    with written_text(path, durable=durable) as file:
        file.write(text)


def write_bytes(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file, as :func:`written`."""
    with written(path, durable=durable) as part:
        part.write_bytes(data)


def parts_of(pattern: str) -> tuple[str, ...]:
    """Glob patterns of the parts that killed writers of files named like ``pattern`` leave behind.

    The last two are what versions before this module called them. Where the pattern stands for any name, a name of the
    user's own may end like the last one.
    """
    drawn = "[0-9a-f]" * 8
    parts = f"{pattern}.part-{drawn}", f"{pattern}.part-{drawn}.*", f"{pattern}.{drawn}.part"
    return parts if pattern.endswith("*") else (*parts, f"{pattern}.part")
