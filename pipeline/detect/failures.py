"""What a detector's library says of weights that do not fit, in one line that names the file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import cv2

from pipeline.errors import CmdTirError, DataError

LONGEST = 200
"""Characters of what a library says; some print whole state dicts."""


@contextlib.contextmanager
def naming(path: Path, fits: str) -> Iterator[None]:
    """Blame a file for whatever a library raises while it is loaded and first used.

    Each library has exceptions of its own, some of which derive from nothing but ``Exception``. What no file is to
    blame for goes through: want of memory, of a module or of a device, and pixels that OpenCV cannot work on.

    Args:
        path: the weights, or the configuration.
        fits: what would do, to end the message.

    Raises:
        DataError: the file, what is wrong, what fits.
    """
    try:
        yield
    except (CmdTirError, ImportError, OSError, MemoryError, cv2.error):
        raise
    except Exception as error:
        if type(error).__name__ == "OutOfMemoryError":
            raise
        told = next(filter(None, str(error).splitlines()), "").strip() or "an error without a message"
        raise DataError(f"{path}: {told[:LONGEST]} ({type(error).__name__}): {fits}") from error
