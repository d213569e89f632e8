"""Regions without a class, followed through one shot: where they start, how long they last, and which teach nothing.

The shot is worked through in windows of :data:`WINDOW` steps, each beginning with the picture that the one before ended
with, so that the grey pictures of one window are all that is in memory. Where a window begins, new regions start in the
places that are free: a method has so many ``regions`` at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from pipeline import boxes
from pipeline.mine.methods.base import PairView
from pipeline.mine.settings import MineSettings
from pipeline.mine.tubes.regions.flow import Box, Grey
from pipeline.mine.tubes.regions.there_and_back import Way, ways
from pipeline.mine.tubes.regions.worth import MIN_CONTRAST, MIN_MOTION, contrast
from pipeline.mine.tubes.tube import Followed, Frame, Tube
from pipeline.shards.schema import MIN_COVERAGE

WINDOW = 5
"""Steps from picture to picture after which a region must find back to where it was."""
ROUNDS = 3
"""Times that regions are drawn for the free places of a picture, where those before were dropped."""
TRIES = 50
"""Draws for one more region before it is taken that none fits."""
MIN_SIDE = 8.0
"""Shortest side of a region, pixels."""
WORK_SIDE = 640
"""Pixels of the longer side of the pictures in which the flow is measured, at most."""


@runtime_checkable
class Follows(Protocol):
    """A mining method whose regions can be followed."""

    @property
    def regions(self) -> int:
        """How many are followed at a time."""

    def starts(self, pair: PairView) -> Iterator[Box]:
        """Where one may start in a pair, first choice first."""


@dataclass(frozen=True)
class _Seen:
    """What stays in memory of a frame: the pair without pixels, and its picture in grey, ``scale`` times as large."""

    position: int
    view: PairView
    grey: Grey
    scale: float


@dataclass(frozen=True)
class _Region:
    """A region on its way: the positions of its frames, and a box in each."""

    positions: list[int]
    boxes: list[Box]


def follow(frames: Iterable[Frame], method: Follows, settings: MineSettings) -> Followed:
    """Follow regions through the frames of one shot.

    A tube is a function of the frames, the settings and the method. It ends where it does not find back
    (``max_fb_error``), where less than ``schema.MIN_COVERAGE`` of it is in what both cameras see, and where its shorter
    side falls under :data:`MIN_SIDE`.

    Args:
        frames: in order, of one size; taken one by one.
        method: where regions start, and how many there are at a time.
        settings: of the run.

    Returns:
        Tubes, the short ones too, in the order of their first frames; dropped: ``"lost"``, not followed through its
        first window, and ``"empty"``: nothing in it moved, and nothing differs from what is around it.
    """
    every: list[_Region] = []
    going: list[_Region] = []
    dropped: Counter[str] = Counter()
    for window in _windows(map(_seen, frames)):
        begun = _advance(window, going, method, settings, dropped)
        every += begun
        going = [region for region in going + begun if region.positions[-1] == window[-1].position]
    return Followed([_tube(region) for region in every], dropped)


def _advance(
    window: Sequence[_Seen], going: Sequence[_Region], method: Follows, settings: MineSettings, dropped: Counter[str]
) -> list[_Region]:
    """Carry what goes on through a window, and return what begins in its first frame and lasts to its last."""
    first = window[0]
    candidates = method.starts(first.view)
    old, found = [region.boxes[-1] for region in going], list[_Region]()
    taken = list(old)
    for _ in range(ROUNDS):
        fresh = _draw(candidates, method.regions - len(taken), taken, settings.max_overlap)
        carried = _carry(window, old + fresh, settings)
        for region, way in zip(going, carried[: len(old)]):
            _extend(region, window, way)
        for start, way in zip(fresh, carried[len(old) :], strict=True):
            if len(way.boxes) < len(window):
                dropped["lost"] += 1
            elif way.motion < MIN_MOTION and contrast(first.grey, first.scale * start) < MIN_CONTRAST:
                dropped["empty"] += 1
            else:
                taken.append(start)
                found.append(_Region([first.position], [start]))
                _extend(found[-1], window, way)
        old = []
    return found


def _draw(candidates: Iterator[Box], count: int, taken: Sequence[Box], max_overlap: float) -> list[Box]:
    """Up to ``count`` of the candidates that lie apart from the boxes that are taken, and from one another."""
    drawn: list[Box] = []
    for box in islice(candidates, TRIES * count):
        others = [*taken, *drawn]
        if not others or boxes.iou(box, np.stack(others)).max() <= max_overlap:
            drawn.append(box)
        if len(drawn) == count:
            break
    return drawn


def _carry(window: Sequence[_Seen], starts: Sequence[Box], settings: MineSettings) -> list[Way]:
    """Ways of boxes through a window, in pixels of the frames, each as long as its boxes may be stored."""
    scale = window[0].scale
    found = ways([frame.grey for frame in window], [scale * box for box in starts], settings.max_fb_error)
    result = []
    for way in found:
        unscaled = [box / scale for box in way.boxes]
        stored = takewhile(lambda each: _fits(*each), zip(unscaled, window))
        result.append(Way([box for box, _ in stored], way.motion))
    return result


def _fits(box: Box, frame: _Seen) -> bool:
    """Whether a box is large enough, and lies in what both cameras see."""
    area = frame.view.common
    shared = np.minimum(box[:2] + box[2:], area[:2] + area[2:]) - np.maximum(box[:2], area[:2])
    inside = np.prod(np.maximum(shared, 0)) >= MIN_COVERAGE * np.prod(box[2:])
    return bool(inside and box[2:].min() >= MIN_SIDE)


def _extend(region: _Region, window: Sequence[_Seen], way: Way) -> None:
    region.positions.extend(frame.position for frame in window[1 : len(way.boxes)])
    region.boxes.extend(way.boxes[1:])


def _tube(region: _Region) -> Tube:
    return Tube(np.array(region.positions), np.stack(region.boxes), np.ones(len(region.boxes)))


def _seen(frame: Frame) -> _Seen:
    view = frame.view
    if view.rgb is None:
        raise ValueError(f"{view.pair_id}: regions are followed in the visible picture, which is not there")
    grey = cv2.cvtColor(view.rgb, cv2.COLOR_RGB2GRAY)
    scale = min(1.0, WORK_SIDE / max(grey.shape))
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _Seen(frame.position, replace(view, rgb=None), np.asarray(grey, np.uint8), scale)


def _windows(frames: Iterator[_Seen]) -> Iterator[list[_Seen]]:
    """Windows of ``WINDOW`` + 1 frames, the last one shorter; each begins with the last frame of the one before."""
    window: list[_Seen] = []
    for frame in frames:
        window.append(frame)
        if len(window) > WINDOW:
            yield window
            window = [frame]
    if len(window) > 1:
        yield window
