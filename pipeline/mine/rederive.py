"""The pseudo boxes of a pair derived again from what its shard says of itself, to be held against the stored ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from pipeline.errors import DataError
from pipeline.mine import proposals
from pipeline.mine.settings import BEFORE, MineSettings


def rederive(
    settings: Mapping[str, object], pair_id: str, size: tuple[int, int], valid: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """The boxes that mining gives a pair under the settings of its shard.

    Args:
        settings: the shard's ``config``.
        pair_id: the pair.
        size: (width, height) of its visible picture in pixels.
        valid: (4, 2) corners of its TIR footprint.

    Returns:
        (n, 4) x, y, w, h in RGB pixels; None for boxes of a detector, which follow from nothing in the shard.

    Raises:
        DataError: the settings are not those of a mining run.
    """
    known = BEFORE | {key: value for key, value in settings.items() if key in MineSettings.model_fields}
    try:
        used = MineSettings.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(f"attribute config: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    area = proposals.common_area(size, valid)
    if used.method == "center":
        found = proposals.center(area, used.center_fraction)
    elif used.method == "random":
        rng = proposals.pair_rng(used.seed, pair_id)
        found = proposals.random(area, size, used.patches_per_pair, used, rng)
    else:
        return None
    return np.array([proposal.box for proposal in found]).reshape(-1, 4)
