"""A hash of all that the windows of a test depend on, whatever network is measured on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from pipeline.errors import DataError
from pipeline.files.hashing import file_sha256
from trainer.recipes.geometry import TrackerSpec
from trainer.two_frame.windows import TwoFrames

WINDOWS = 1
"""Raised by a change of what is drawn or cut from equal sequences and seeds."""


def key_of(tracker: str, spec: TrackerSpec, windows: Sequence[TwoFrames]) -> str:
    """The key: where two files of figures have one, what they found can be compared window by window.

    Args:
        tracker: the base tracker.
        spec: its geometry.
        windows: of every sequence.

    Raises:
        DataError: a picture is gone.
    """
    geometry = asdict(spec) | {"pretrain_rates": dict(spec.pretrain_rates)}
    told: list[object] = [WINDOWS, tracker, geometry]
    for each in windows:
        files = each.footage.files({frame for pair in each.draws for frame in pair})
        try:
            told += [each.told(), [file_sha256(file) for file in files]]
        except OSError as error:
            raise DataError(f"cannot read {error.filename}: {error.strerror}: restore it") from error
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
