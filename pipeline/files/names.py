"""Names as they are compared, and the order of those that hold numbers."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = re.compile(r"(\d+)")


def same(name: str) -> str:
    """A name without what two file systems write differently: case, and letters composed (NFC) or not (NFD, macOS)."""
    if name.isascii():
        return name.casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def natural(name: str) -> tuple[object, ...]:
    """Sort key that counts: ``2`` before ``10``, whatever the padding; case and equal numbers decide last."""
    parts = _DIGITS.split(same(name))
    parts[1::2] = [part.zfill(20) for part in parts[1::2]]
    return (parts, name)
