"""Pictures as they stand in a report's page."""

from __future__ import annotations

import base64
import html as entities
import re
from pathlib import Path
from typing import NamedTuple

from pipeline import images
from pipeline.errors import DataError
from pipeline.images import Rgb


class Found(NamedTuple):
    """A picture of a page, and what the page calls it."""

    picture: Rgb
    called: str


def bytes_of(file: Path) -> bytes:
    """A file of the demo.

    Raises:
        DataError: it is not there.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}: run make demo again") from error


def find(pattern: str, page: Path, *, index: int = 0) -> re.Match[str]:
    """The first place of a page, or another one, where a pattern is.

    Raises:
        DataError: the page is not there, or has not as many.
    """
    for number, found in enumerate(re.finditer(pattern, bytes_of(page).decode(), re.DOTALL)):
        if number == index:
            return found
    raise DataError(f"{page} lacks the picture that is taken from it: correct the tool that names it")


def picture(page: Path, called: str, *, index: int = 0) -> Found:
    """A picture of a page.

    Args:
        page: file of it.
        called: how its text begins.
        index: of those that are called so.

    Raises:
        DataError: as :func:`find`.
    """
    found = find(rf'<img [^>]*?src="data:image/\w+;base64,([^"]+)" alt="({re.escape(called)}[^"]*)"', page, index=index)
    return Found(images.decode_rgb(base64.b64decode(found[1]), str(page)), entities.unescape(found[2]))
