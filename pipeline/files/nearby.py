"""What was meant by a folder that is not what it should be: the one inside it, around it, or of nearly that name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from pipeline.errors import some

SOUGHT = 200
"""Entries of a folder that are looked at: a wrong path may be a folder of a million."""
SHOWN = 3
"""Those that are offered."""


def nearby(path: Path, fits: Callable[[Path], object]) -> str:
    """A question that offers what was meant, with a space after it; empty where nothing near fits.

    Args:
        path: what was given: a folder that does not fit, or nothing at all.
        fits: whether an entry of a folder, or the folder above, would do.
    """
    if path.is_dir():
        around = [*sorted(islice(path.iterdir(), SOUGHT)), *([] if path.parent == path else [path.parent])]
    elif path.parent.is_dir():
        beside = {entry.name: entry for entry in islice(path.parent.iterdir(), SOUGHT)}
        around = [beside[name] for name in difflib.get_close_matches(path.name, beside)]
    else:
        around = []
    found = [str(each) for each in around if fits(each)]
    return f"did you mean {some(found, SHOWN)}? " if found else ""
