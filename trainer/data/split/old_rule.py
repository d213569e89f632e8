"""The rule of version 0.1, by which runs that have no record of their split go on: by the root folder's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.files.names import natural
from trainer.data.split.side import HELD_OUT, LEFT_OUT, TRAINING, Kind, Side, cut, frame_of, key_of, place_of

MIN_SEQUENCES = 5


def old_split(names: Sequence[tuple[str, str]], share: float, seed: int) -> list[Kind]:
    """The side of every pair.

    Args:
        names: (name of the root folder, pair_id) of every pair.
        share: of the sequences to validate on, 0 to 1. Under five sequences it is the last ``share`` of each
            instead, behind a gap.
        seed: the split's own.
    """
    keys = [key_of(*name) for name in names]
    frames: dict[str, set[str]] = {}
    for key, (_, pair_id) in zip(keys, names):
        frames.setdefault(key, set()).add(frame_of(pair_id))
    if share == 0:
        sides = dict.fromkeys(frames, TRAINING)
    elif len(frames) >= MIN_SEQUENCES:
        chosen = _chosen(sorted(frames), share, seed)
        sides = {key: HELD_OUT if key in chosen else TRAINING for key in frames}
    else:
        sides = {key: cut(each, share) for key, each in frames.items()}
    return [sides[key].of(frame_of(pair_id)) for key, (_, pair_id) in zip(keys, names)]


def _chosen(sequences: Sequence[str], share: float, seed: int) -> set[str]:
    """The sequences whose hash falls below ``share``; at least one validates, and at least one does not."""
    place = {key: place_of(seed, key) for key in sequences}
    ranked = sorted(sequences, key=place.__getitem__)
    below = sum(value < share for value in place.values())
    return set(ranked[: min(max(1, below), len(ranked) - 1)])


def sides_of(names: Sequence[tuple[str, str]], kinds: Sequence[Kind]) -> Mapping[str, Side]:
    """Sequence -> side, from the side of every pair; one whose frames cannot be told apart by a cut is left out."""
    found: dict[str, dict[Kind, list[str]]] = {}
    for name, kind in zip(names, kinds):
        found.setdefault(key_of(*name), {}).setdefault(kind, []).append(frame_of(name[1]))
    return {key: _side(frames) for key, frames in found.items()}


def _side(frames: Mapping[Kind, Sequence[str]]) -> Side:
    trained, held = frames.get("training"), frames.get("held_out")
    if trained and held:
        last, first = max(trained, key=natural), min(held, key=natural)
        return Side("cut", last, first) if natural(last) < natural(first) else LEFT_OUT
    return TRAINING if trained else HELD_OUT if held else LEFT_OUT
