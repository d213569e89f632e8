"""The kinds of failure that are told in one line; the commands map each to its exit code."""

from collections.abc import Sequence


class CmdTirError(Exception):
    """A failure that is told in one line: what, where, what to do (exit code 4: run the same again to go on)."""

    exit_code = 4


class TooManyRejectsError(CmdTirError):
    """The work is done, but more was rejected than the user allows (exit code 1)."""

    exit_code = 1


class UsageError(CmdTirError):
    """Bad usage or settings (exit code 2)."""

    exit_code = 2


class DataError(CmdTirError):
    """Bad input data, named (exit code 3)."""

    exit_code = 3


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few names of a list, as a message shows them."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
