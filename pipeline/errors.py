"""The two kinds of failure a user can cause; the commands map each to its exit code."""


class CmdTirError(Exception):
    """A failure that is told in one line: what, where, what to do."""

    exit_code = 1


class UsageError(CmdTirError):
    """Bad usage or settings (exit code 2)."""

    exit_code = 2


class DataError(CmdTirError):
    """Bad input data, named (exit code 3)."""

    exit_code = 3
