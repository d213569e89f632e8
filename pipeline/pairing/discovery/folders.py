"""Which folders of a data set belong together, and what the sequences in them are called."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.errors import DataError
from pipeline.files.names import natural, same
from pipeline.manifests import Manifest
from pipeline.pairing.discovery.tree import Tree

_FIELD = re.compile(r"\{(?:(\d)|(sequence)|frame(?::(\d+))?)\}")
SHOWN = 8
"""Folder names that an error lists."""


class AbsentError(DataError):
    """The folders or the pictures of a layout are not there."""


@dataclass(frozen=True, slots=True)
class Group:
    """Two folders that belong together; None where there is none. ``caught`` is what the wildcards stand for."""

    caught: tuple[str, ...]
    rgb: str | None
    tir: str | None


def fill(template: str, caught: tuple[str, ...], frame: str, sequence: str = "") -> str:
    """Fill ``{1}`` (first wildcard), ``{frame}``, ``{frame:2}`` (its first two characters) and ``{sequence}``.

    Raises:
        DataError: the template asks for a wildcard that the pattern does not have.
    """

    def value(field: re.Match[str]) -> str:
        number, whole, length = field.groups()
        if number:
            if not 1 <= int(number) <= len(caught):
                raise DataError(f"template {template!r} asks for wildcard {number}, the pattern has {len(caught)}")
            return caught[int(number) - 1]
        return sequence if whole else frame[: int(length)] if length else frame

    return _FIELD.sub(value, template)


def groups(tree: Tree, manifest: Manifest) -> list[Group]:
    """Folders of the two patterns, joined by what their wildcards caught, case aside.

    Raises:
        AbsentError: one of the two patterns fits no folder.
        DataError: two folders fit where one is wanted.
    """
    patterns = (manifest.rgb or "", manifest.tir or manifest.rgb or "")
    sides: list[dict[tuple[str, ...], tuple[tuple[str, ...], str]]] = []
    for pattern in patterns:
        side: dict[tuple[str, ...], tuple[tuple[str, ...], str]] = {}
        for caught, folder in tree.walk(pattern.split("/")[:-1]):
            key = tuple(map(same, caught))
            if key in side and side[key][1] != folder:
                raise DataError(
                    f"{tree.root}: both {side[key][1]!r} and {folder!r} fit {pattern}: name one in a manifest"
                )
            side[key] = caught, folder
        sides.append(side)
    if not all(sides):
        looked = [f"{pattern} ({len(side)} folders fit)" for pattern, side in zip(patterns, sides)]
        raise AbsentError(
            f"{tree.root}: not in layout {manifest.name}: looked for {' and '.join(dict.fromkeys(looked))}; "
            f"found {contents(tree)}: check --root, or try --manifest auto"
        )
    rgb, tir = sides
    keys = sorted(rgb.keys() | tir.keys(), key=lambda key: [natural(name) for name in key])
    return [
        Group((rgb.get(key) or tir[key])[0], rgb[key][1] if key in rgb else None, tir[key][1] if key in tir else None)
        for key in keys
    ]


def contents(tree: Tree) -> str:
    """What lies in the root, in words."""
    folders, names = tree.scan("")
    if not folders and not names:
        return "an empty folder"
    shown = sorted(folders, key=natural)[:SHOWN]
    more = ", ..." if len(folders) > SHOWN else ""
    listed = f" ({', '.join(shown)}{more})" if folders else ""
    return f"{len(folders)} folders{listed} and {len(names)} files"
