"""The next command to type, for messages: its words as a shell takes them, and what makes a folder again."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

CONFIG = "config.yaml"
KEPT = "# Settings of cmd-tir's "
"""How the file of that name begins that a command writes beside what it makes; the command follows, and a colon."""
ABOVE = ", of the folder above"
"""Stands behind the command where that was told to make the folder above, in which it makes several."""
_COMMAND = re.compile(rf"{re.escape(KEPT)}(cmd-[a-z]+(?: [a-z-]+)?)({ABOVE})?: ", re.ASCII)
ANEW = ("--on-existing", "overwrite")
"""What removes what an earlier run made, and makes all of it."""


def to_type(*words: str | Path) -> str:
    """A command on one line, quoted for a shell."""
    return shlex.join(shown(word) if isinstance(word, Path) else word for word in words)


def shown(path: Path) -> str:
    """A path as people type it: from the working folder where it lies below that."""
    try:
        near = os.path.relpath(path)
    except FileNotFoundError:
        # The working folder was removed while the command ran.
        return str(path)
    told = str(path) if near.startswith("..") else near
    # Else it would be taken for an option.
    return f"./{told}" if told.startswith("-") else told


def kept_at(made: Path) -> Path:
    """Where the settings of what was made stand: ``config.yaml`` in a folder, beside a file ``NAME.config.yaml``."""
    return made / CONFIG if made.is_dir() else made.with_name(f"{made.name}.{CONFIG}")


def made_again(made: Path, *more: str | Path) -> str | None:
    """The command that goes on with what a command makes, as the settings tell that it keeps.

    Args:
        made: the folder, or the file.
        more: words behind it.

    Returns:
        The command; None where there is no such file. What is quoted of it is the name of a command alone: a folder may
        come from anybody.
    """
    kept = kept_at(made)
    try:
        with kept.open(encoding="utf-8", errors="replace") as file:
            told = _COMMAND.match(file.readline(200))
    except OSError:
        return None
    if not told:
        return None
    return to_type(*told[1].split(), "--config", kept, "--out", made.absolute().parent if told[2] else made, *more)
