"""The order of names that hold numbers."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[object, ...]:
    """Sort key that counts: ``2`` before ``10``, whatever the padding; case and equal numbers decide last."""
    parts = _DIGITS.split(name.casefold())
    parts[1::2] = [part.zfill(20) for part in parts[1::2]]
    return (parts, name)
