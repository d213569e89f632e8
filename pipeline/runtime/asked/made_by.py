"""``made_by``: how results came about, for the JSON beside them; never in what is compared byte by byte."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import ModuleType

from pipeline import DISTRIBUTION, tool_version
from pipeline.runtime.asked.kept import command_line

MADE_BY = "made_by"


def made_by(inputs: Mapping[str, object], *libraries: ModuleType) -> dict[str, object]:
    """By which command, with which versions, of what, and when.

    Args:
        inputs: hashes of what went in, by what it is; those that are None or empty are left out.
        libraries: whose versions may matter.

    Returns:
        ``command``: the line as it was typed, None where Python called; ``versions``; ``inputs``; ``date``: ISO, UTC.
    """
    # Here: no help page waits for it.
    import platform

    versions = {DISTRIBUTION: tool_version(), "python": platform.python_version()}
    return {
        "command": command_line(),
        "versions": versions | {library.__name__: str(library.__version__) for library in libraries},
        "inputs": {name: hashed for name, hashed in inputs.items() if hashed},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
