"""Pairing rules that go by the numbers in names, and by mere order only where names cannot be compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import compress

from pipeline.files.names import same
from pipeline.pairing.discovery.rules import Match, alone, by_key, by_stem, by_time, in_order
from pipeline.pairing.discovery.tree import Picture

_DIGITS = re.compile(r"\d+")
_LAST = re.compile(r"(?P<time>.*?)[\W_]*(?P<number>\d+)\D*")
Keys = list[tuple[int, ...]]
"""What each picture of one side is called, as numbers."""


def by_order(rgb: list[Picture], tir: list[Picture]) -> tuple[list[Match], list[str]]:
    """Equal numbers where both names hold one, equal names where they hold none; else the n-th with the n-th.

    Returns:
        the matches, and what should be told of them.
    """
    visible, nameless = _numbered(rgb)
    thermal, others = _numbered(tir)
    keys = _compared(visible, thermal) if visible and thermal else None
    if keys is not None:
        rest, notes = _without_numbers(nameless, others)
        return in_order(_equal(visible, thermal, *keys) + rest), _shifted(*keys) + notes
    return (_by_place(rgb, tir), _ordered(rgb, tir)) if visible and thermal else _without_numbers(rgb, tir)


def by_number(rgb: list[Picture], tir: list[Picture], form: str, tolerance: float) -> list[Match]:
    """Equal last number of the names, as a camera counts; what stands before it is when the file was written.

    A count begins anew: of pictures with one number those pair that are nearest in time, within the tolerance. The two
    files of one shot are not written at once, so that their times say nothing of skew.

    Args:
        rgb: visible pictures.
        tir: thermal pictures.
        form: of the time, as for :func:`~rules.time_reader`.
        tolerance: seconds.
    """
    groups: dict[int, tuple[list[Picture], list[Picture]]] = {}
    matches = []
    for side, name in ((rgb, "rgb"), (tir, "tir")):
        for picture in side:
            if found := _LAST.fullmatch(picture.frame):
                stamped = Picture(found["time"], picture.path)
                groups.setdefault(int(found["number"]), ([], []))[name == "tir"].append(stamped)
            else:
                matches.append(alone(picture, name, "name holds no number after its time"))
    frames = {picture.path: picture.frame for picture in (*rgb, *tir)}
    for group in groups.values():
        for match in by_time(*group, form, tolerance):
            matches.append(replace(match, frame=frames[match.rgb or match.tir or ""], skew=None))
    return in_order(matches)


def _numbered(pictures: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    """Pictures with a number in their name, and those without."""
    has = [bool(_DIGITS.search(picture.frame)) for picture in pictures]
    return list(compress(pictures, has)), [picture for picture, number in zip(pictures, has) if not number]


def _compared(rgb: list[Picture], tir: list[Picture]) -> tuple[Keys, Keys] | None:
    """The numbers that both sides can be compared by, or None where they have nothing in common.

    Those are all that vary; of names with several, such as a stamp and a count, the last that counts every picture, if
    half of the shorter side then has a partner.
    """
    rows = [[tuple(map(int, _DIGITS.findall(picture.frame))) for picture in side] for side in (rgb, tir)]
    if len({len(row) for side in rows for row in side}) > 1:
        rows = [[row[-1:] for row in side] for side in rows]
    columns = [list(zip(*side)) for side in rows]
    vary = [c for c in range(len(columns[0])) if any(len(set(side[c])) > 1 for side in columns)] or [-1]
    half = min(len(rgb), len(tir)) / 2
    whole = _taken(rows, vary)
    if len(_common(*whole)) >= (1 if len(vary) == 1 else half):
        return whole
    for column in reversed(vary if len(vary) > 1 else []):
        counts = _taken(rows, [column])
        if all(len(set(side)) == len(side) for side in counts) and len(_common(*counts)) >= half:
            return counts
    return None


def _taken(rows: list[Keys], columns: list[int]) -> tuple[Keys, Keys]:
    rgb, tir = ([tuple(row[c] for c in columns) for row in side] for side in rows)
    return rgb, tir


def _common(rgb: Keys, tir: Keys) -> set[tuple[int, ...]]:
    return set(rgb) & set(tir)


def _equal(rgb: list[Picture], tir: list[Picture], rgb_keys: Keys, tir_keys: Keys) -> list[Match]:
    """Pictures of equal numbers; the others are alone."""
    visible, matches = by_key(rgb, "rgb", _looked_up(rgb, rgb_keys), "number")
    thermal, others = by_key(tir, "tir", _looked_up(tir, tir_keys), "number")
    matches += others
    for key, picture in visible.items():
        if other := thermal.pop(key, None):
            matches.append(Match(picture.frame, picture.path, other.path))
        else:
            matches.append(alone(picture, "rgb", "no thermal picture of this number"))
    return matches + [alone(picture, "tir", "no visible picture of this number") for picture in thermal.values()]


def _looked_up(pictures: list[Picture], keys: Keys) -> Callable[[Picture], Hashable]:
    table = dict(zip(pictures, keys))
    return table.__getitem__


def _without_numbers(rgb: list[Picture], tir: list[Picture]) -> tuple[list[Match], list[str]]:
    """Equal names where there are any, else by place, which is told."""
    if {same(picture.frame) for picture in rgb} & {same(picture.frame) for picture in tir}:
        return by_stem(rgb, tir), []
    return _by_place(rgb, tir), _ordered(rgb, tir)


def _by_place(rgb: list[Picture], tir: list[Picture]) -> list[Match]:
    """The n-th with the n-th; with unequal counts nobody can say which one is missing, so none is taken."""
    if len(rgb) == len(tir):
        return [Match(a.frame, a.path, b.path) for a, b in zip(rgb, tir)]
    detail = f"{len(rgb)} visible and {len(tir)} thermal pictures: their order cannot say which belong together"
    return [alone(picture, side, detail) for side, pictures in (("rgb", rgb), ("tir", tir)) for picture in pictures]


def _ordered(rgb: list[Picture], tir: list[Picture]) -> list[str]:
    """What to tell of pictures that pair by nothing but their order."""
    if len(rgb) != len(tir) or not rgb:
        return []
    visible, thermal = _named(rgb), _named(tir)
    if all(_numbered(side)[0] for side in (rgb, tir)):
        return [f"paired by order: the numbers of visible names ({visible}) are not those of thermal ones ({thermal})"]
    return [f"paired by order: visible names ({visible}) and thermal ones ({thermal}) hold no numbers to compare"]


def _shifted(rgb: Keys, tir: Keys) -> list[str]:
    """A word of doubt where the numbers of one side are those of the other, but for one shift throughout."""
    visible, thermal = sorted(set(rgb)), sorted(set(tir))
    gaps = {b[-1] - a[-1] for a, b in zip(visible, thermal)}
    if len(visible) != len(thermal) or len(visible[0]) > 1 or len(gaps) != 1 or 0 in gaps:
        return []
    note = f"paired by number, but every thermal number is the visible one in its place {gaps.pop():+d}"
    return [f"{note}: if one camera merely counts from another number, rename its pictures or give a map file"]


def _named(pictures: list[Picture]) -> str:
    """The first and the last name of a side."""
    return f"{pictures[0].frame} to {pictures[-1].frame}" if len(pictures) > 1 else pictures[0].frame
