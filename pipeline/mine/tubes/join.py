"""Tubes of neighbouring segments that are one, and which of all tubes of a sequence are kept."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.boxes import iou
from pipeline.mine.settings import MineSettings
from pipeline.mine.tubes.tube import Followed, Tube, heaviest

SAME = 0.5
"""IoU above which two boxes in one frame are of one object, and share of the frames in which they must be."""
Owned = tuple[int, int]
"""First position that a segment has the say on, and the one behind the last."""


def join(pieces: Sequence[tuple[Followed, Owned]], settings: MineSettings) -> Followed:
    """The tubes of a sequence, from those of its segments.

    A tube that two neighbours followed through the frames that both have seen is one. Each frame's boxes come from the
    segment that has the say on it, so that no object is in a frame twice. What then has a gap of more than ``max_gap``
    steps is parted there; of what is left, short tubes are dropped, and where a pair has more than
    ``patches_per_pair``, those of the commoner class, and then the shorter ones.

    Args:
        pieces: what came of each segment, in the order of time, and the positions that it owns.
        settings: of the run.

    Returns:
        Tubes in the order of their first frames, then boxes: a tube's number is its place among them. Dropped, beside
        what was dropped before: ``"short"`` and ``"crowded"``.
    """
    dropped = sum((followed.dropped for followed, _ in pieces), Counter[str]())
    chains: list[list[Tube]] = []
    ends: dict[int, list[Tube]] = {}
    for number, (followed, owned) in enumerate(pieces):
        before = pieces[number - 1][0].tubes if number else []
        partner = _partners(before, followed.tubes)
        now: dict[int, list[Tube]] = {}
        for index, tube in enumerate(followed.tubes):
            chain = ends[partner[index]] if index in partner else []
            if index not in partner:
                chains.append(chain)
            own = tube.take((tube.frames >= owned[0]) & (tube.frames < owned[1]))
            chain += [own] if len(own) else []
            now[index] = chain
        ends = now
    whole = [part for chain in chains if chain for part in parted(_one(chain), settings.max_gap)]
    long = [tube for tube in whole if len(tube) >= settings.min_length]
    dropped["short"] += len(whole) - len(long)
    kept = list(_uncrowded(long, settings))
    dropped["crowded"] += sum(not parts for parts in kept)
    return Followed(sorted(itertools.chain(*kept), key=_place), +dropped)


def parted(tube: Tube, max_gap: int) -> Iterator[Tube]:
    """A tube, cut where more than ``max_gap`` steps lie between two of its frames."""
    edges = [0, *(np.flatnonzero(np.diff(tube.frames) > max_gap) + 1).tolist(), len(tube)]
    for first, end in itertools.pairwise(edges):
        yield tube.take(np.arange(first, end))


def _partners(before: list[Tube], after: list[Tube]) -> dict[int, int]:
    """Which tube of the segment after is which of the one before, by the frames that both have seen."""
    first, second = _rows(before), _rows(after)
    both, same = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for position in first.keys() & second.keys():
        pairs = list(itertools.product(first[position], second[position]))
        boxes = [(before[a].boxes[i], after[b].boxes[j]) for (a, i), (b, j) in pairs]
        overlaps = iou(*np.array(boxes).swapaxes(0, 1))
        for ((a, _), (b, _)), overlap in zip(pairs, overlaps):
            both[a, b] += 1
            same[a, b] += bool(overlap > SAME)
    found: dict[int, int] = {}
    for (left_tube, right_tube), count in sorted(same.items(), key=lambda each: (-each[1], each[0])):
        agreed = count > SAME * both[left_tube, right_tube]
        if agreed and right_tube not in found and left_tube not in found.values():
            found[right_tube] = left_tube
    return found


def _rows(tubes: list[Tube]) -> dict[int, list[tuple[int, int]]]:
    """Position -> the tubes that are there, each with its row."""
    found: dict[int, list[tuple[int, int]]] = {}
    for index, tube in enumerate(tubes):
        for row, position in enumerate(tube.frames.tolist()):
            found.setdefault(position, []).append((index, row))
    return found


def _one(chain: list[Tube]) -> Tube:
    """The parts of a tube as one, of the class whose parts have the highest sum of scores."""
    weights: defaultdict[int, float] = defaultdict(float)
    for part in chain:
        weights[part.category] += float(part.scores.sum())
    frames, boxes, scores = (
        np.concatenate([getattr(p, name) for p in chain]) for name in ("frames", "boxes", "scores")
    )
    return Tube(frames, boxes, scores, heaviest(weights))


def _uncrowded(tubes: list[Tube], settings: MineSettings) -> Iterator[list[Tube]]:
    """What is kept of each tube where frames have too many: rarer classes go first, as in ``select``, then long tubes.

    What is left on either side of a crowd is a tube of its own if it is long enough.
    """
    common = Counter(tube.category for tube in tubes)
    taken = Counter[int]()
    for tube in sorted(tubes, key=lambda tube: (common[tube.category], -len(tube), _place(tube))):
        free = np.array([taken[position] < settings.patches_per_pair for position in tube.frames.tolist()])
        parts = parted(tube.take(free), settings.max_gap) if free.any() else ()
        kept = [part for part in parts if len(part) >= settings.min_length]
        for part in kept:
            taken.update(part.frames.tolist())
        yield kept


def _place(tube: Tube) -> tuple[float, ...]:
    return (float(tube.frames[0]), *tube.boxes[0].tolist())
