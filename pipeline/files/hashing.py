"""The SHA-256 of files and texts, hex."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bytes_sha256(data: bytes) -> str:
    """Of bytes in memory."""
    return hashlib.sha256(data).hexdigest()


def text_sha256(text: str) -> str:
    """Of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
