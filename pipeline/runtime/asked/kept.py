"""``config.yaml``: the settings that a command was given, beside what it makes, as ``--config`` takes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UsageError

CONFIG = "config.yaml"
_MARK = "# Settings of cmd-tir's "
"""How such a file begins; any other is somebody's own."""


@dataclass(frozen=True)
class Asked:
    """What the command at work was asked.

    Attributes:
        command: its name, such as ``cmd-prep mine``.
        line: all of it, as it was typed.
        settings: what it was given, by the names of its options: a word, or a list of words.
    """

    command: str
    line: str
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
    return asked.line if asked else None


def keep_settings(folder: Path) -> None:
    """Write what the command at work was given into the folder of what it makes; nothing where none is at work.

    Raises:
        UsageError: a file of that name is there which no command wrote.
    """
    asked = _asked.get()
    if asked is None:
        return
    path = folder / CONFIG
    if path.exists() and not _ours(path):
        raise UsageError(f"{path} was written by no command and is left alone: move it, or choose another --out")
    # Here: a help page waits for no YAML.
    from pipeline.files.yaml_text import write_yaml

    write_yaml(path, asked.settings, f"{_MARK}{asked.command}: --config {CONFIG} gives them again, --out is typed.")


def drop_settings(folder: Path) -> None:
    """Remove what an earlier command kept: what it made is gone."""
    if _ours(folder / CONFIG):
        (folder / CONFIG).unlink()


def _ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_MARK)) == _MARK.encode()
    except OSError:
        return False
