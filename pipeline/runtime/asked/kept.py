"""``config.yaml``: the settings that a command was given, in or beside what it makes, as ``--config`` takes them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.next_command import ABOVE, ANEW, CONFIG, KEPT, kept_at, to_type

_LAUNCHED = "TORCHELASTIC_RUN_ID"
"""Set by torchrun, which typed the command at work."""


@dataclass(frozen=True)
class Asked:
    """What the command at work was asked.

    Attributes:
        command: its name, such as ``cmd-prep mine``.
        words: all of it, as it was typed.
        out: what it was told to make; None where it makes nothing.
        settings: what it was given, by the names of its options: a word, or a list of words.
    """

    command: str
    words: tuple[str, ...]
    out: Path | None
    settings: Mapping[str, str | list[str]]


_asked: ContextVar[Asked | None] = ContextVar("asked", default=None)


@contextlib.contextmanager
def asking(asked: Asked) -> Iterator[None]:
    """What is made meanwhile is made for this command."""
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def command_line() -> str | None:
    """The line of the command at work; None where none is."""
    asked = _asked.get()
    return to_type(*asked.words) if asked else None


def again(*more: str) -> str | None:
    """The command at work with further words, to be typed; None where none is, or another program typed it.

    An option that it has with the very same words, and ``--resume``, which contradicts ``--on-existing``, are left out.
    """
    asked = _asked.get()
    if asked is None or _LAUNCHED in os.environ:
        return None
    words = [word for word in asked.words if word != "--resume"]
    if more and more[0] in words:
        place = words.index(more[0])
        del words[place : place + len(more)]
    return to_type(*words, *more)


def anew() -> str:
    """What to do about a folder that may not be gone on with, with the command that removes what is there."""
    line = again(*ANEW)
    return "choose another --out or " + (f"make all of it anew: {line}" if line else " ".join(ANEW))


def keep_settings(made: Path) -> None:
    """Write what the command at work was given into the folder, or beside the file, that it makes; else nothing.

    What another command kept there stays: a run into whose folder a student is exported is still that run.

    Raises:
        UsageError: a file of that name is there which no command wrote.
    """
    asked = _asked.get()
    if asked is None:
        return
    path = kept_at(made)
    if path.exists():
        if not _ours(path):
            raise UsageError(f"{path} was written by no command and is left alone: move it, or choose another --out")
        if not _ours(path, asked.command):
            return
    above = ABOVE if asked.out and asked.out.absolute() != made.absolute() else ""
    # Here: a help page waits for no YAML.
    from pipeline.files.yaml_text import write_yaml

    head = f"{KEPT}{asked.command}{above}: --config {path.name} gives them again, --out is typed."
    write_yaml(path, asked.settings, head)


def drop_settings(folder: Path) -> None:
    """Remove what an earlier command kept: what it made is gone."""
    if _ours(folder / CONFIG):
        (folder / CONFIG).unlink()


def _ours(path: Path, command: str = "") -> bool:
    """Whether a command wrote a file, of that name where one is given."""
    head = f"{KEPT}{command}".encode()
    try:
        with path.open("rb") as file:
            return file.read(len(head)) == head
    except OSError:
        return False
