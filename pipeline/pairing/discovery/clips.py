"""Pairing the frames of two clips that started together: by their count where both keep step, else by time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.images import UnreadableImageError
from pipeline.pairing.discovery.rules import Match, in_order, nearest
from pipeline.pairing.discovery.sources import Clip, resolve
from pipeline.pairing.discovery.tree import Picture

IN_STEP = 0.25
"""Share of a frame interval that frames of one number may lie apart for two clips to keep step."""
SAME_RATE = 0.01
"""Relative difference of two rates up to which a surplus frame is a lost partner, and not one in between."""
MILLISECOND = 1e-3
SHORTER, SLACK = 0.1, 0.5
"""Share of the longer clip, and seconds, by which two clips that were taken together may differ in length."""


@dataclass(frozen=True)
class Timing:
    """When the frames of a clip are shown.

    Attributes:
        count: of frames.
        times: (count,) seconds since its first frame; None where the container does not say.
        rate: frames a second, over the whole clip; 0 where unknown.
    """

    count: int
    times: NDArray[np.float64] | None
    rate: float

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        return self.count / self.rate if self.rate else 0.0


def by_clip(root: Path, clips: Match) -> tuple[list[Match], list[str]]:
    """The frames of a pair of clips, or the clip that is alone or cannot be used; and what should be told of them."""
    if clips.rgb is None or clips.tir is None:
        return [clips], []
    try:
        paths = [resolve(root, path) for path in (clips.rgb, clips.tir)]
        visible, thermal = (_timing(path, decoded=False) for path in paths)
        if not in_step(visible, thermal):
            visible, thermal = (_timing(path, decoded=True) for path in paths)
    except UnreadableImageError as error:
        return [replace(clips, reason="decode", detail=str(error))], []
    if refused := inconsistent(visible, thermal):
        return [replace(clips, reason="temporal_mismatch", detail=refused)], []
    return by_frame(clips.rgb, clips.tir, visible, thermal)


def by_frame(rgb: str, tir: str, visible: Timing, thermal: Timing) -> tuple[list[Match], list[str]]:
    """The frames of two clips whose timings do not contradict each other; and what should be told of them."""
    if in_step(visible, thermal):
        return [_counted(rgb, tir, index, visible.rate) for index in range(visible.count)], []
    if visible.times is None or thermal.times is None:
        note = f"paired by frame number: {_rates(visible, thermal)}, so that nobody can say whether they keep step"
        return [_counted(rgb, tir, index, 0.0) for index in range(visible.count)], [note]
    return _by_time(_Side(rgb, "rgb", visible), _Side(tir, "tir", thermal))


def in_step(visible: Timing, thermal: Timing) -> bool:
    """Whether frames of one number were taken at one time."""
    if visible.times is None or thermal.times is None or visible.count != thermal.count:
        return False
    apart = np.abs(visible.times - thermal.times).max(initial=0.0)
    return bool(apart <= IN_STEP * min(_interval(visible.times), _interval(thermal.times)))


def inconsistent(visible: Timing, thermal: Timing) -> str:
    """Why two clips cannot be paired: their rates and frame counts contradict each other; empty where they do not."""
    said = f"{visible.count} and {thermal.count} frames, {_rates(visible, thermal)}"
    if not (visible.rate and thermal.rate):
        unequal = visible.count != thermal.count
        return f"{said}: nobody can say which belong together: write the clips with their rates" if unequal else ""
    longer, shorter = sorted((visible.seconds, thermal.seconds), reverse=True)
    if longer - shorter <= max(SHORTER * longer, SLACK):
        return ""
    lengths = f"{visible.seconds:.2f} and {thermal.seconds:.2f} s"
    return f"{said}, so {lengths} of what should be one time: correct a rate, or cut both to the same time"


def _rates(visible: Timing, thermal: Timing) -> str:
    return f"visible {_rate(visible)}, thermal {_rate(thermal)}"


def _rate(timing: Timing) -> str:
    return f"{timing.rate:.5g} frames/s" if timing.rate else "of unknown rate"


def _interval(times: NDArray[np.float64]) -> float:
    """Median seconds between two frames; unbounded for a single one."""
    return float(np.median(np.diff(times))) if len(times) > 1 else np.inf


def _counted(rgb: str, tir: str, index: int, rate: float) -> Match:
    time = index / rate if rate else None
    return Match(f"{index:06d}", f"{rgb}#frame={index}", f"{tir}#frame={index}", timestamp=time)


@dataclass(frozen=True)
class _Side:
    """A clip as one side of pairs: its path, ``rgb`` or ``tir``, and its timing."""

    path: str
    side: str
    timing: Timing

    def pictures(self) -> list[tuple[float, Picture]]:
        times = self.timing.times if self.timing.times is not None else ()
        return [(float(t), Picture(f"{i:06d}", f"{self.path}#frame={i}")) for i, t in enumerate(times)]


def _by_time(visible: _Side, thermal: _Side) -> tuple[list[Match], list[str]]:
    """Mutually nearest in time, at most half an interval of the faster clip apart.

    Frames of the faster clip that lie between two of the slower one belong to nothing and are only counted; what else
    has no partner is a reject.
    """
    sides = (visible, thermal)
    shown = [side.pictures() for side in sides]
    steps = [_interval(np.array([time for time, _ in pictures])) for pictures in shown]
    end = min(pictures[-1][0] + step for pictures, step in zip(shown, steps)) - MILLISECOND
    faster, rates = max(sides, key=lambda side: side.timing.rate), [side.timing.rate for side in sides]
    spare = faster.side if max(rates) - min(rates) > SAME_RATE * max(rates) else ""
    times = {picture.path: time for pictures in shown for time, picture in pictures}
    kept, between = [], 0
    for match in nearest(shown[0], shown[1], min(steps) / 2 + MILLISECOND):
        if match.reason is None:
            kept.append(match)
        elif times[match.rgb or match.tir or ""] >= end:
            detail = f"the clips have {visible.timing.count} and {thermal.timing.count} frames: the other has ended"
            kept.append(replace(match, reason="missing_counterpart", detail=detail))
        elif spare == ("rgb" if match.rgb else "tir"):
            between += 1
        else:
            kept.append(match)
    note = f"paired by time: {visible.timing.count} and {thermal.timing.count} frames, "
    note += _rates(visible.timing, thermal.timing)
    if between:
        note += f"; {between} {'visible' if faster is visible else 'thermal'} frames lie between and are left out"
    elif not spare and visible.timing.count != thermal.timing.count:
        note += "; a frame lost without a gap in the stamps would shift those after it"
    return in_order(kept), [note]


@lru_cache(maxsize=1024)
def _stamps(path: str, decoded: bool, _changed: int) -> tuple[tuple[float, ...], float]:
    clip = Clip(path)
    return tuple(clip.stamps(decoded=decoded)), clip.rate()


def _timing(path: Path, *, decoded: bool) -> Timing:
    """Read when the frames of a clip are shown; by their count where the container stamps none.

    Raises:
        UnreadableImageError: it is missing or no video.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise UnreadableImageError(f"cannot open video {path}: {error.strerror}") from error
    stamps, rate = _stamps(str(path), decoded, changed)
    times = np.array(stamps)
    if len(times) == 0:
        raise UnreadableImageError(f"{path}: no frame can be read: restore the file")
    regular = np.arange(len(times)) / rate if rate else None
    if len(times) == 1 or np.diff(times).min() <= 0:
        return Timing(len(times), regular, rate)
    times -= times[0]
    # Containers round: stamps that are regular but for that are.
    if regular is not None and np.abs(times - regular).max() <= MILLISECOND:
        return Timing(len(times), regular, rate)
    return Timing(len(times), times, (len(times) - 1) / float(times[-1]))
