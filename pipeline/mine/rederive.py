"""The pseudo boxes of a pair derived again from what its shard says of itself, to be held against the stored ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from pipeline.errors import DataError, UsageError, first_fault
from pipeline.mine.methods import PairView, build_method
from pipeline.mine.settings import BEFORE, DEFAULTS_BEFORE, MineSettings
from pipeline.registries import METHODS
from pipeline.shards.index import load_index
from pipeline.shards.verify import Rederive, Verification


def rederiver(folder: Path, trusted: str | None) -> Rederive:
    """:func:`rederive` for the shards of a folder; ``trusted`` as there.

    Raises:
        UsageError: the shards were mined by another method than the one that may be imported.
        DataError: there is no readable index.
    """
    if trusted is not None and trusted != (recorded := load_index(folder).method):
        raise UsageError(f"--method {trusted}: {folder} was mined by {recorded}: name that method, or leave it out")
    return partial(rederive, trusted=trusted)


def not_rederived(result: Verification, trusted: str | None) -> str:
    """What to say of the boxes that a check took as they are; empty where it derived all of them again."""
    count = result.pairs - result.rederived
    if not count:
        return ""
    method = result.method
    foreign = method not in METHODS and method != trusted
    why = f"name it with --method {method}" if foreign else "they follow from nothing in a shard"
    return f"; boxes of {count} pairs, by {method}, not derived again: {why}"


def rederive(
    settings: Mapping[str, object],
    pair_id: str,
    size: tuple[int, int],
    valid: NDArray[np.float64],
    trusted: str | None = None,
) -> NDArray[np.float64] | None:
    """The boxes that mining gives a pair under the settings of its shard.

    Args:
        settings: the shard's ``config``.
        pair_id: the pair.
        size: (width, height) of its visible picture in pixels.
        valid: (4, 2) corners of its TIR footprint.
        trusted: a method of one's own that may be imported. On a shard's word alone nothing is.

    Returns:
        (n, 4) x, y, w, h in RGB pixels; None for boxes that follow from nothing in the shard, such as a detector's,
        for those of tubes, and for those of a method that is neither listed nor trusted.

    Raises:
        DataError: the settings are not those of a mining run, or of another version of the trusted method.
    """
    given = {key: value for key, value in settings.items() if key in MineSettings.model_fields}
    known = BEFORE | DEFAULTS_BEFORE | given
    try:
        used = MineSettings.model_validate(known)
        if used.method not in METHODS and used.method != trusted:
            return None
        method = build_method(used)
    except ValidationError as error:
        fault = first_fault(error)
        raise DataError(f"attribute config: {fault.key}: {fault.message}") from error
    if settings.get("method_source_sha256") != METHODS.source_sha256(used.method):
        raise DataError(f"attribute config: mined by another version of {used.method}: check with that one")
    derived = None if used.tubes else method.derive(PairView(pair_id, size, valid))
    return None if derived is None else np.array([proposal.box for proposal in derived]).reshape(-1, 4)
