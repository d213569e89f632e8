"""A page that is drawn from the code: written again, or compared with what the code says now."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def write_or_compare(tool: str, about: str | None, page: Path, draw: Callable[[str], str], stale: str) -> str | None:
    """Do what the words of the command line ask for.

    Args:
        tool: the module's name.
        about: what it does, for its help.
        page: that is drawn where no other is named.
        draw: makes the page of what it was; a LookupError says that there is no place for it.
        stale: is said of a page that is not of the code, after its path.

    Returns:
        What is wrong, for ``sys.exit``.
    """
    parser = argparse.ArgumentParser(prog=f"python -m tools.{tool}", description=about)
    parser.add_argument("page", type=Path, nargs="?", default=page)
    parser.add_argument("--check", action="store_true", help="compare only; exit code 1 where the page is stale")
    chosen = parser.parse_args()
    before = chosen.page.read_text(encoding="utf-8") if chosen.page.is_file() else ""
    try:
        after = draw(before)
    except LookupError as error:
        return f"{chosen.page}: {error.args[0]}"
    if chosen.check:
        return None if after == before else f"{chosen.page}: {stale}: run `make {tool}`"
    chosen.page.write_text(after, encoding="utf-8")
    return None
