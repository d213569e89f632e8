"""Where boxes lie in a picture that may be another size of the one they were drawn in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.formats import PictureBoxes

ASPECT = 0.01
"""Pictures of one proportion but for this share are one picture in two sizes; rounding to whole pixels takes less."""
RELATIVE = (1, 1)


def other_size(read: PictureBoxes, size: tuple[int, int]) -> tuple[float, float] | None:
    """The (width, height) of the picture the boxes were drawn in, where it is known and not ``size``."""
    return None if read.size in (None, RELATIVE, size) else read.size


def scale(read: PictureBoxes, size: tuple[int, int]) -> NDArray[np.float64] | None:
    """What x, y, w, h (4,) are multiplied by in a picture of (width, height); None where it is of another shape."""
    drawn = read.size or size
    across, down = size[0] / drawn[0], size[1] / drawn[1]
    if read.size != RELATIVE and abs(across / down - 1) > ASPECT:
        return None
    return np.array([across, down, across, down])
