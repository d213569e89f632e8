"""The same clip under two names: found by the stored bytes of its visible pictures."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

SAMPLE = 8
"""Pictures of a sequence that are hashed."""
COMMON = 20
"""A picture that more sequences than this hold, such as a black one, says nothing."""


def sampled(sizes: Mapping[str, int]) -> list[str]:
    """The frames of a sequence whose pictures are hashed.

    They are chosen by what the pictures are, not by where they stand: those whose size in bytes comes first by a hash,
    each size once, so that a clip that lacks frames, or half of one, gives for the most part the same pictures. Where
    there are too few sizes (uncompressed pictures), the first frames make up the number.

    Args:
        sizes: frame -> bytes of its stored visible picture.
    """
    chosen: dict[int, str] = {}
    for frame in sorted(sizes):
        chosen.setdefault(sizes[frame], frame)
    order = sorted(chosen, key=lambda size: (zlib.crc32(size.to_bytes(8, "little")), size))
    frames = [chosen[size] for size in order[:SAMPLE]]
    taken = set(frames)
    rest = (frame for frame in sorted(sizes) if frame not in taken)
    return sorted([*frames, *(frame for frame, _ in zip(rest, range(SAMPLE - len(frames))))])


def groups_of(pictures: Mapping[str, Mapping[str, str]]) -> list[list[str]]:
    """Sequences that are one clip, together; every sequence is in one group, most alone, in the order of names.

    Two are one where they share a quarter of the pictures that were hashed, of the one of which fewer were.

    Args:
        pictures: sequence -> frame -> hash of its picture.
    """
    holders: dict[str, set[str]] = defaultdict(set)
    for key, frames in pictures.items():
        for picture in frames.values():
            holders[picture].add(key)
    shared = Counter(pair for keys in holders.values() if len(keys) <= COMMON for pair in combinations(sorted(keys), 2))
    leader = {key: key for key in pictures}
    for (one, two), count in sorted(shared.items()):
        fewer = min(len(set(pictures[key].values())) for key in (one, two))
        if 4 * count >= fewer:
            first, second = sorted((_lead(leader, one), _lead(leader, two)))
            leader[second] = first
    groups: dict[str, list[str]] = {}
    for key in sorted(pictures):
        groups.setdefault(_lead(leader, key), []).append(key)
    return list(groups.values())


def _lead(leader: dict[str, str], key: str) -> str:
    while leader[key] != key:
        key = leader[key]
    return key


def same_frames(one: Mapping[str, str], two: Mapping[str, str]) -> bool:
    """Whether the pictures that two sequences share have the same frame names in both."""
    names = {picture: frame for frame, picture in one.items()}
    shared = [(names[picture], frame) for frame, picture in two.items() if picture in names]
    return bool(shared) and all(first == second for first, second in shared)


def told(groups: Iterable[list[str]], most: int = 3) -> str:
    """Those that are one clip, as people read it: ``a = b, c = d``."""
    lines = [" = ".join(group) for group in groups]
    return ", ".join(lines[:most]) + (f" and {len(lines) - most} more" if len(lines) > most else "")
