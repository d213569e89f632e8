"""Kinds of patches: the mining method that shards are of, with ``-tubes`` where it followed what it found.

``detection`` and ``detection-tubes`` are two kinds; ``tubes`` stands for those of any method.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from pipeline.next_command import to_type

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
    return " ".join(_options(kind))


def to_mine(kind: str, beside: Mapping[Path, Sequence[str]]) -> str:
    """The command that mines shards of a kind; what is not known of it stands in capitals.

    Args:
        kind: that is wanted; of ``tubes`` any method will do.
        beside: folders of shards that there are, beside which others go, and the command of each where that is known:
            where one has the method that is wanted, all its settings are kept.
    """
    folder = next(iter(beside), Path("shards/any"))
    for near, command in beside.items():
        if of_tubes(kind) and command and kind in (TUBES, f"{_word(command, '--method')}{_FOLLOWED}"):
            out = near.parent / f"{_word(command, '--method')}{_FOLLOWED}"
            return to_type(*command, f"--{TUBES}", "--out", out)
    full = f"center{_FOLLOWED}" if kind == TUBES else kind
    aligned = next((word for command in beside.values() if (word := _word(command, "--aligned"))), "ALIGNED")
    weights = ("--weights", "WEIGHTS") if full.removesuffix(_FOLLOWED) == "detection" else ()
    return to_type("cmd-prep", "mine", "--aligned", aligned, *_options(full), *weights, "--out", folder.parent / full)


def _options(kind: str) -> tuple[str, ...]:
    method = kind.removesuffix(TUBES).removesuffix("-")
    return ("--method", method) * bool(method) + (f"--{TUBES}",) * of_tubes(kind)


def _word(command: Sequence[str], option: str) -> str:
    """What stands behind an option; empty where it does not."""
    return command[command.index(option) + 1] if option in command[:-1] else ""
