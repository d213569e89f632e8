"""How far two pairs of a sequence are apart, in frames."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_DIGITS = re.compile(r"(\d+)")


def frame_numbers(ids: Sequence[str], reach: int) -> NDArray[np.int64]:
    """The frame number (n,) of each pair of one sequence.

    It is the number in the ids where they differ in one number alone, and neighbours are within reach of one another
    (times of day are not); else their place in the order.

    Args:
        ids: of the pairs, in natural order.
        reach: frames beyond which nothing is compared.
    """
    order = np.arange(len(ids))
    parts = [_DIGITS.split(name.rpartition("/")[2]) for name in ids]
    if len({len(part) for part in parts}) != 1:
        return order
    differ = [place for place in range(len(parts[0])) if len({part[place] for part in parts}) > 1]
    if len(differ) != 1 or differ[0] % 2 == 0 or any(len(part[differ[0]]) > 18 for part in parts):
        return order
    numbers = np.array([int(part[differ[0]]) for part in parts])
    near = np.diff(numbers)
    return numbers if len(near) and (near > 0).all() and near.min() <= reach else order
