"""How a worker process keeps its memory."""

from __future__ import annotations

from functools import cache

import numpy as np

_SIZE = 31 << 20
"""Bytes: just under the largest block that glibc will move from the kernel to its own heap."""


@cache
def keep_freed_memory() -> None:
    """Let arrays reuse the memory of earlier ones instead of asking the kernel for fresh pages each time.

    A picture of 640x512 takes a megabyte. glibc's malloc maps such a block anew for every array and gives it back after
    it; the page faults cost as much as decoding the picture. It raises its thresholds, for good, to the size of the
    largest mapped block that was ever freed (``M_MMAP_THRESHOLD`` in mallopt(3)), so freeing one block that nothing
    touched is enough. With another allocator this does nothing.
    """
    np.empty(_SIZE, np.uint8)
