"""Where a sequence stands: it trains, it is held out, it is cut between the two, or it is on neither side."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pipeline.files.names import natural

GAP = 5
"""Frames left out between the two sides when a sequence has to be cut: neighbours in a video are near copies. A short
sequence gives up a quarter of itself at most."""
Kind = Literal["training", "held_out", "cut", "left_out"]


def key_of(data_set: str, pair_id: str) -> str:
    """What a sequence is known by: its data set and its name, the pair's id without the last part."""
    return f"{data_set}|{pair_id.rpartition('/')[0]}"


def frame_of(pair_id: str) -> str:
    """The frame's name in its sequence: the last part of the pair's id."""
    return pair_id.rpartition("/")[2]


def place_of(seed: int, key: str) -> float:
    """Where a sequence stands, 0 to 1, whatever the others are: a hash of the split seed and its key."""
    return int.from_bytes(hashlib.sha256(f"{seed}|{key}".encode()).digest()[:8]) / 2**64


@dataclass(frozen=True)
class Side:
    """The side of a sequence.

    Attributes:
        kind: all of it trains, is held out, or neither (``left_out``); or it is ``cut``.
        last: of one that is cut: the last frame that trains.
        first: of one that is cut: the first frame that is held out. What lies between is on neither side.
    """

    kind: Kind
    last: str = ""
    first: str = ""

    def of(self, frame: str) -> Kind:
        """The side of one frame, never ``cut``. A frame that is new lies where its name puts it."""
        if self.kind != "cut":
            return self.kind
        place = natural(frame)
        if place <= natural(self.last):
            return "training"
        return "held_out" if place >= natural(self.first) else "left_out"

    @property
    def sides(self) -> frozenset[Kind]:
        """The sides that it has frames on."""
        return frozenset({"training", "held_out"} if self.kind == "cut" else {self.kind})

    def contradicts(self, other: Side) -> bool:
        """Whether there can be a frame that trains here and is held out there, or the other way round."""
        if self.kind == other.kind == "cut":
            latest = max(natural(self.last), natural(other.last))
            return latest >= min(natural(self.first), natural(other.first))
        return "left_out" not in (self.kind, other.kind) and self.kind != other.kind

    def both(self, other: Side) -> Side:
        """The side of what neither of two that do not contradict one another has on another side."""
        if self.kind == other.kind == "cut":
            return Side("cut", min(self.last, other.last, key=natural), max(self.first, other.first, key=natural))
        return other if self.kind == "left_out" else self


TRAINING, HELD_OUT, LEFT_OUT = Side("training"), Side("held_out"), Side("left_out")


def cut(frames: Collection[str], share: float) -> Side:
    """A sequence's last ``share`` held out, behind a gap; all of it trains where that is less than half a frame."""
    ordered = sorted(set(frames), key=natural)
    block = min(round(share * len(ordered)), len(ordered) - 1)
    if not block:
        return TRAINING
    first = len(ordered) - block
    last = max(1, first - min(GAP, len(ordered) // 4))
    return Side("cut", ordered[last - 1], ordered[first])
