"""The kinds of failure that are told in one line; the commands map each to its exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pydantic import ValidationError


class CmdTirError(Exception):
    """A failure that is told in one line: what, where, what to do (exit code 4: run the same again to go on)."""

    exit_code = 4


class TooManyRejectsError(CmdTirError):
    """The work is done, but more was rejected, or fell back, than the user allows (exit code 1)."""

    exit_code = 1


class AmissError(CmdTirError):
    """The look is done, and there is something that should be looked at (exit code 1)."""

    exit_code = 1


class UsageError(CmdTirError):
    """Bad usage or settings (exit code 2)."""

    exit_code = 2


class DataError(CmdTirError):
    """Bad input data, named (exit code 3)."""

    exit_code = 3


class Fault(NamedTuple):
    """What is wrong with a value: the dotted key that it stands under, why, the value, and pydantic's kind of fault."""

    key: str
    message: str
    value: object
    kind: str


def first_fault(error: ValidationError) -> Fault:
    """The first of what pydantic found, so that it can be told in one line."""
    first = error.errors()[0]
    return Fault(".".join(map(str, first["loc"])), first["msg"], first["input"], first["type"])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that offers the name nearest to an unknown one, with a space after it; empty where none is near."""
    # Here: only a name that was mistyped pays for it.
    import difflib

    folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"did you mean {folded[near[0]]}? " if near else ""


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few names of a list, as a message shows them."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
