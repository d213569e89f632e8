"""What was followed in a segment, in a file: a killed run goes on with the segments that are done."""

from __future__ import annotations

import json
import logging
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.files.writing import written
from pipeline.mine.tubes.tube import Followed, Tube

log = logging.getLogger(__name__)
DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
"""What reading a file raises whose bytes are not those that were written: a check sum goes over each array."""


@dataclass
class SegmentTubes:
    """What came of a segment.

    Attributes:
        followed: its tubes, and what was dropped.
        told: ``"cuts"`` and ``"duplicates"`` -> at which positions.
        weights_sha256: of the detector that looked, empty where none did.
        class_names: class -> name, of what a model may have found.
    """

    followed: Followed = field(default_factory=Followed)
    told: dict[str, list[int]] = field(default_factory=dict)
    weights_sha256: str = ""
    class_names: Mapping[int, str] = field(default_factory=dict)


def write_segment(path: Path, content: SegmentTubes) -> None:
    """Write what came of a segment; equal content gives equal bytes."""
    tubes = content.followed.tubes
    facts = {
        "dropped": dict(sorted(content.followed.dropped.items())),
        "told": dict(sorted(content.told.items())),
        "weights_sha256": content.weights_sha256,
        "class_names": {str(number): name for number, name in sorted(content.class_names.items())},
    }
    arrays = {
        "length": np.array([len(tube) for tube in tubes], np.int64),
        "category": np.array([tube.category for tube in tubes], np.int64),
        "frames": np.concatenate([np.zeros(0, np.int64), *(tube.frames for tube in tubes)]),
        "boxes": np.concatenate([np.zeros((0, 4)), *(tube.boxes for tube in tubes)]),
        "scores": np.concatenate([np.zeros(0), *(tube.scores for tube in tubes)]),
        "facts": np.frombuffer(json.dumps(facts).encode(), np.uint8),
    }
    with written(path, durable=True, suffix=".npz") as part:
        np.savez(part, allow_pickle=False, **arrays)


def read_segment(path: Path) -> SegmentTubes | None:
    """Read what came of a segment; None where it has to be followed again, which is told of a damaged file."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("length", "category", "frames", "boxes", "scores", "facts")}
        facts = json.loads(arrays["facts"].tobytes())
        ends = np.cumsum(arrays["length"])[:-1]
        frames, boxes, scores = (np.split(arrays[name], ends) for name in ("frames", "boxes", "scores"))
        kinds = arrays["category"].tolist()
        tubes = [Tube(*columns) for columns in zip(frames, boxes, scores, kinds)]
        names = {int(number): str(name) for number, name in facts["class_names"].items()}
        followed = Followed(tubes, Counter(facts["dropped"]))
        return SegmentTubes(followed, facts["told"], facts["weights_sha256"], names)
    except DAMAGED as error:
        log.warning("%s is not what was written (%s): its segment is followed again", path, error)
        return None
