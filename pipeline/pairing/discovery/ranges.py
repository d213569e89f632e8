"""Which raw values of 16-bit TIR become 0 and 255: one range a sequence, never one a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.images import UnreadableImageError, decode
from pipeline.manifests import LEAST_SPAN, Percentiles
from pipeline.pairing.discovery.sources import load_side
from pipeline.records import PairFiles

SAMPLED = 24
"""Frames that stand for a sequence."""
STEP = 4
"""Every n-th pixel in each direction is enough for a percentile."""
_EIGHT_BIT = frozenset({".jpg", ".jpeg", ".bmp"})


def sequence_range(
    root: Path, pairs: Sequence[PairFiles], policy: tuple[float, float] | Percentiles
) -> tuple[float, float] | None:
    """The raw values (low, high) that become 0 and 255 in a sequence, or None where most of its TIR has 8 bits.

    None, too, where no range is given for floating-point values.

    Args:
        root: the data set's folder.
        pairs: the sequence, in frame order; a spread of its frames is read, those that cannot be are passed over.
        policy: a fixed range, which is returned as it is, or percentiles of the values of those frames together.
    """
    spread = [pairs[i] for i in np.unique(np.linspace(0, len(pairs) - 1, min(SAMPLED, len(pairs)), dtype=int))]
    values: list[NDArray[Any]] = []
    of_8_bits = 0
    for pair in spread:
        if PurePosixPath(pair.tir).suffix.casefold() in _EIGHT_BIT:
            of_8_bits += 1
            continue
        try:
            image = decode(load_side(root, pair.tir), pair.tir)
        except UnreadableImageError:
            continue
        if image.dtype == np.uint8:
            of_8_bits += 1
            continue
        plane = image if image.ndim == 2 else image[..., image.shape[2] // 2]
        values.append(plane[::STEP, ::STEP].ravel())
    if len(values) <= of_8_bits:
        return None
    if not isinstance(policy, Percentiles):
        return policy
    if any(each.dtype == np.float32 for each in values):
        # Degrees, kelvin, or parts of one: nobody can tell what a step is.
        return None
    # What shows nothing, as a closed shutter does, would only narrow the range of the others.
    telling = [each for each in values if np.subtract(*np.percentile(each, (99, 1))) >= LEAST_SPAN] or values
    low, high = np.percentile(np.concatenate(telling), policy.percentiles)
    return float(low), float(max(high, low + 1))
