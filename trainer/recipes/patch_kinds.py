"""Kinds of patches: the mining method that shards are of, with ``-tubes`` where it followed what it found.

``detection`` and ``detection-tubes`` are two kinds; ``tubes`` stands for those of any method.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

TUBES = "tubes"
_FOLLOWED = f"-{TUBES}"
PatchKind = Annotated[str, Field(pattern=r"^[\w.:-]+$")]


def kind_of(settings: dict[str, Any]) -> str:
    """The kind of shards that were mined with these settings (those of ``index.json``)."""
    return str(settings.get("method", "")) + (_FOLLOWED if settings.get("tubes") else "")


def of_tubes(kind: str | None) -> bool:
    """Whether patches of a kind are known to be of one target at several instants."""
    return kind is not None and (kind == TUBES or kind.endswith(_FOLLOWED))


def fits(kind: str, wanted: str) -> bool:
    """Whether shards of a kind are what is wanted."""
    return kind == wanted or (wanted == TUBES and of_tubes(kind))


def mined_with(kind: str) -> str:
    """The options of ``cmd-prep mine`` that make a kind."""
    method = kind.removesuffix(TUBES).removesuffix("-")
    return " ".join((f"--method {method}",) * bool(method) + (f"--{TUBES}",) * of_tubes(kind))
