"""Pairing rules: two lists of pictures in, matches out. No file is touched here.

Every picture ends up in exactly one match: in a pair, or alone with the reason why.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TypeVar

from pipeline.errors import DataError
from pipeline.files.names import natural, same
from pipeline.pairing.discovery.tree import Picture
from pipeline.records import Reason

K = TypeVar("K", bound=Hashable)
Timed = tuple[float, Picture]
"""A picture and when it was taken, in seconds."""
TIME_UNITS = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6, "nanoseconds": 1e-9}


@dataclass(frozen=True, slots=True)
class Match:
    """A pair, or a picture that has no partner.

    Attributes:
        frame: its name in the sequence.
        rgb: path or locator of the visible picture, None where it is missing.
        tir: likewise of the thermal one.
        reason: why it is no pair; None for a pair.
        detail: the reason in words.
        timestamp: seconds, if known.
        skew: TIR time minus RGB time in seconds, if known.
    """

    frame: str
    rgb: str | None
    tir: str | None
    reason: Reason | None = None
    detail: str = ""
    timestamp: float | None = None
    skew: float | None = None


def alone(picture: Picture, side: str, detail: str, reason: Reason = "missing_counterpart") -> Match:
    """A picture of a side (``rgb`` or ``tir``) that has no partner."""
    rgb, tir = (picture.path, None) if side == "rgb" else (None, picture.path)
    return Match(picture.frame, rgb, tir, reason, detail)


def in_order(matches: list[Match]) -> list[Match]:
    """Matches in natural order of their frames."""
    return sorted(matches, key=lambda match: (natural(match.frame), match.rgb or "", match.tir or ""))


def by_key(
    pictures: list[Picture], side: str, key: Callable[[Picture], K], kind: str
) -> tuple[dict[K, Picture], list[Match]]:
    """Pictures by a key, a ``kind`` in words; of two with one key the first counts and the others are told."""
    first: dict[K, Picture] = {}
    others = []
    for picture in pictures:
        kept = first.setdefault(key(picture), picture)
        if kept is not picture:
            others.append(alone(picture, side, f"second picture of this {kind}: {kept.path} is used"))
    return first, others


def _name(picture: Picture) -> str:
    return same(picture.frame)


def by_stem(rgb: list[Picture], tir: list[Picture]) -> list[Match]:
    """Equal frame names, case aside; patterns have already taken prefixes and suffixes off."""
    visible, matches = by_key(rgb, "rgb", _name, "name")
    thermal, others = by_key(tir, "tir", _name, "name")
    matches += others
    for key, picture in visible.items():
        if other := thermal.pop(key, None):
            matches.append(Match(picture.frame, picture.path, other.path))
        else:
            matches.append(alone(picture, "rgb", "no thermal picture of this name"))
    matches += [alone(picture, "tir", "no visible picture of this name") for picture in thermal.values()]
    return in_order(matches)


def time_reader(form: str) -> Callable[[str], float]:
    """How a frame's name is read as seconds: a unit of :data:`TIME_UNITS`, or a ``strptime`` format (taken as UTC).

    The reader raises ValueError for a name that does not fit.
    """
    if unit := TIME_UNITS.get(form):
        return lambda name: float(name) * unit
    return lambda name: datetime.strptime(name, form).replace(tzinfo=UTC).timestamp()


def _timed(pictures: list[Picture], side: str, form: str) -> tuple[list[Timed], list[Match]]:
    """Pictures with their times, in time order, and those whose name holds none."""
    read = time_reader(form)
    timed, untimed = [], []
    for picture in pictures:
        try:
            time = read(picture.frame)
            if not math.isfinite(time):
                raise ValueError(picture.frame)
            timed.append((time, picture))
        except (ValueError, OverflowError):
            untimed.append(alone(picture, side, f"name holds no time in the form {form}", "temporal_mismatch"))
    return sorted(timed, key=lambda item: (item[0], item[1].path)), untimed


def _nearest(times: list[float], time: float) -> int | None:
    """Index of the time nearest to one; the earlier of two that are equally near."""
    at = bisect.bisect_left(times, time)
    around = [i for i in (at - 1, at) if 0 <= i < len(times)]
    return min(around, key=lambda i: abs(times[i] - time), default=None)


def by_time(rgb: list[Picture], tir: list[Picture], form: str, tolerance: float) -> list[Match]:
    """Mutually nearest in time and no further apart than the tolerance, in seconds; so each picture is used once."""
    visible, matches = _timed(rgb, "rgb", form)
    thermal, untimed = _timed(tir, "tir", form)
    return in_order(matches + untimed + nearest(visible, thermal, tolerance))


def nearest(visible: list[Timed], thermal: list[Timed], tolerance: float) -> list[Match]:
    """As :func:`by_time`, of pictures that come with their times, in time order."""
    matches: list[Match] = []
    rgb_times, tir_times = [t for t, _ in visible], [t for t, _ in thermal]
    paired = set()
    for i, (time, picture) in enumerate(visible):
        j = _nearest(tir_times, time)
        if j is None:
            matches.append(alone(picture, "rgb", "no thermal picture in this sequence"))
        elif abs(skew := tir_times[j] - time) > tolerance:
            detail = f"nearest thermal picture is {abs(skew):.3f} s away, tolerance {tolerance:g} s"
            matches.append(alone(picture, "rgb", detail, "temporal_mismatch"))
        elif _nearest(rgb_times, tir_times[j]) != i:
            detail = "the nearest thermal picture is nearer to another visible one"
            matches.append(alone(picture, "rgb", detail, "temporal_mismatch"))
        else:
            paired.add(j)
            matches.append(Match(picture.frame, picture.path, thermal[j][1].path, timestamp=time, skew=skew))
    left = (picture for j, (_, picture) in enumerate(thermal) if j not in paired)
    return matches + [alone(p, "tir", "no visible picture near in time", "temporal_mismatch") for p in left]


def by_map(rgb: list[Picture], tir: list[Picture], mapping: Mapping[str, str]) -> list[Match]:
    """As a file says; it names pictures by path below the root, by file name, or by file name without extension.

    Raises:
        DataError: two visible pictures are mapped to one thermal picture.
    """
    thermal = {name: picture for picture in tir for name in names(picture.path)}
    matches, used = [], set()
    for picture in rgb:
        wanted = next((mapping[name] for name in names(picture.path) if name in mapping), None)
        other = thermal.get(wanted) if wanted is not None else None
        if other is None:
            detail = "not in the map file" if wanted is None else f"mapped to {wanted}, which is not there"
            matches.append(alone(picture, "rgb", detail))
        elif other.path in used:
            raise DataError(f"map file gives {other.path} to two visible pictures, {picture.path} is one: mend it")
        else:
            used.add(other.path)
            matches.append(Match(picture.frame, picture.path, other.path))
    matches += [alone(p, "tir", "no visible picture is mapped to it") for p in tir if p.path not in used]
    return in_order(matches)


def names(path: str) -> tuple[str, str, str]:
    """What a map or list file may call a picture: its path, its file name, its stem; case aside."""
    pure = PurePosixPath(same(path))
    return str(pure), pure.name, pure.stem


def by_channels(pictures: list[Picture]) -> list[Match]:
    """One four-channel file a pair: colour in the first three channels, heat in the last."""
    visible, others = by_key(pictures, "rgb", _name, "name")
    return in_order([Match(p.frame, f"{p.path}#rgb", f"{p.path}#3") for p in visible.values()] + others)
