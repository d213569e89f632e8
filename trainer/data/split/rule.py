"""The rule by which a sequence's side is decided: what is known stays, what is new goes by its own hash."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

from trainer.data.split import copies
from trainer.data.split.record import Known, Split
from trainer.data.split.side import HELD_OUT, LEFT_OUT, TRAINING, Kind, Side, cut, place_of

log = logging.getLogger(__name__)
NEITHER: frozenset[Kind] = frozenset()


def decide(
    frames: Mapping[str, Collection[str]],
    pictures: Mapping[str, Mapping[str, str]],
    share: float,
    seed: int,
    known: Split | None = None,
) -> Split:
    """The split of the sequences that are here, and of those that are known from elsewhere.

    A known sequence keeps its side. A new one that is the same clip as a known one takes that one's. Another is held
    out where the hash of the seed and its key falls below ``share``, whatever the others are. Only where that would
    leave nothing to train on, or nothing to measure, the others matter: then the last ``share`` of every new sequence
    is held out, behind a gap; or the sequence whose hash comes first, where they are too short for that.

    Args:
        frames: key -> frame names of the sequences that are here.
        pictures: key -> frame -> hash of its picture.
        share: to hold out, 0 to 1.
        seed: of the split.
        known: what the run, or those that it starts from, decided before.

    Returns:
        The sides of all: those that are here, and the others that are known.
    """
    before = dict(known.sequences) if known else {}
    groups = copies.groups_of({key: each.pictures for key, each in before.items()} | dict(pictures))
    sides = {key: before[key].side for key in frames if key in before}
    new: list[list[str]] = []
    for group in groups:
        own = [key for key in group if key in before]
        fresh = [key for key in group if key not in before]
        if own:
            sides |= {key: _as_one(pictures[key], [before[each] for each in own]) for key in fresh}
        else:
            new.append(fresh)
    sides |= _judged(new, frames, pictures, share, seed, _sides(sides.values()))
    here = {key: Known(side, dict(pictures[key])) for key, side in sides.items() if key not in before}
    split = Split(share, seed, dict(sorted((before | here).items())))
    _tell([group for group in groups if len(group) > 1 and not frames.keys().isdisjoint(group)], split)
    return split


def _sides(sides: Collection[Side]) -> frozenset[Kind]:
    return NEITHER.union(*(side.sides for side in sides))


def _as_one(pictures: Mapping[str, str], same: Sequence[Known]) -> Side:
    """The side of a sequence that is the same clip as others.

    Where their frames have other names a cut has no place in it, and it is left out; as it is where they disagree.
    """
    others = [known for known in same if known.side.kind != "left_out"]
    sides = {known.side for known in others}
    if len(sides) != 1:
        return LEFT_OUT
    side = sides.pop()
    fits = side.kind != "cut" or all(copies.same_frames(pictures, known.pictures) for known in others)
    return side if fits else LEFT_OUT


def _judged(
    groups: Sequence[list[str]],
    frames: Mapping[str, Collection[str]],
    pictures: Mapping[str, Mapping[str, str]],
    share: float,
    seed: int,
    there: frozenset[Kind],
) -> dict[str, Side]:
    """The sides of new sequences, those of one clip together; ``there`` are the sides that known ones here are on."""
    place = {group[0]: place_of(seed, group[0]) for group in groups}
    sides = {key: HELD_OUT if place[group[0]] < share else TRAINING for group in groups for key in group}
    wanted: frozenset[Kind] = frozenset({"training", "held_out"})
    if not sides or not share or wanted <= _sides(sides.values()) | there:
        return sides
    for first, *others in groups:
        sides[first] = cut(frames[first], share)
        model = Known(sides[first], pictures[first])
        sides |= {key: _as_one(pictures[key], [model]) for key in others}
    if len(groups) > 1 and "held_out" not in _sides(sides.values()) | there:
        lowest = min(place, key=place.__getitem__)
        sides = {key: HELD_OUT if group[0] == lowest else TRAINING for group in groups for key in group}
    return sides


def _tell(same: Sequence[list[str]], split: Split) -> None:
    """Tell of clips that are here under two names, or known under another."""
    apart = [
        group
        for group in same
        if any(split.sequences[a].side.contradicts(split.sequences[b].side) for a, b in combinations(group, 2))
    ]
    if kept := [group for group in same if group not in apart]:
        log.warning("the same clip under two names, kept on one side: %s", copies.told(kept))
    if apart:
        log.warning("the same clip under two names, on two sides since earlier runs: %s", copies.told(apart))
