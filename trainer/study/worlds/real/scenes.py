"""Whether two recordings show one scene, by small pictures of some of their frames, however they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.images import UnreadableImageError, decode_tir, read_bytes

FRAMES = 8
"""Of a recording that are looked at, from the first to the last at equal distances."""
ALIKE = 0.7
"""Correlation from which on two frames are taken to show one scene. Recordings of one fixed camera, encoded anew and
some seconds apart, reached .85 and more, pairs and tests of different places .37 at most (15 and 39 sequences)."""
_SIDE, _EDGE, _BLUR = 48, 4, 4.0

Looks = NDArray[np.float32]
"""(n, D): frames of a recording, each of unit length, or zero where there is nothing to be seen."""


def looks(pictures: Sequence[Path]) -> Looks:
    """What some frames of a recording look like, without their brightness and what varies slowly, such as sky.

    Args:
        pictures: thermal, 8 bits; those that are not, or cannot be read, are passed over.
    """
    chosen = sorted({round(place) for place in np.linspace(0, len(pictures) - 1, FRAMES)}) if pictures else []
    found = [look for number in chosen if (look := _look(pictures[number])) is not None]
    return np.stack(found) if found else np.zeros((0, (_SIDE - 2 * _EDGE) ** 2), np.float32)


def likeness(one: Looks, other: Looks) -> float:
    """The highest correlation of a frame of one and a frame of the other, at most 1; 0 where one has none."""
    return float((one @ other.T).max()) if len(one) and len(other) else 0.0


def groups(recordings: Mapping[str, Looks]) -> list[list[str]]:
    """Recordings that show one scene, together: also those that only a third one joins. In the order of their names."""
    leader = {name: name for name in sorted(recordings)}
    for one in leader:
        for other in leader:
            if one < other and likeness(recordings[one], recordings[other]) >= ALIKE:
                first, second = sorted((leader[one], leader[other]))
                leader |= {name: first for name, head in leader.items() if head == second}
    found: dict[str, list[str]] = {}
    for name, head in leader.items():
        found.setdefault(head, []).append(name)
    return list(found.values())


def _look(path: Path) -> Looks | None:
    try:
        picture = decode_tir(read_bytes(path), str(path))
    except (UnreadableImageError, OSError):
        return None
    small = cv2.resize(picture.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    fine = (small - cv2.GaussianBlur(small, (0, 0), _BLUR))[_EDGE:-_EDGE, _EDGE:-_EDGE].ravel()
    length = float(np.linalg.norm(fine))
    return np.zeros_like(fine) if length < 1 else np.asarray(fine / length, np.float32)
