"""What ``cmd-prep synth`` tells of the pairs that it makes: where everything is, and what is in plain view."""

from __future__ import annotations

import json

from pipeline.synthetic import sequences
from pipeline.synthetic.settings import SynthConfig

MIN_VISIBILITY = 0.6
MIN_SIDE = 12.0
_CONVENTION = (
    "homography: 9 numbers, row-major, TIR pixel -> RGB pixel, an integer is the centre of a pixel; box: x, y, w, h of "
    "the whole outline clipped to the RGB picture, pixel edges, top-left origin; visibility: share of the outline that "
    "is in the picture and not hidden; occlusion: hidden share of what is in the picture; class: index in the "
    "80-class COCO order"
)


def head(config: SynthConfig) -> str:
    """Start of the truth, up to its sequences."""
    facts = {"seed": config.seed, "size": list(config.size), "convention": _CONVENTION}
    return json.dumps(facts)[:-1] + ', "sequences": [\n'


def sequence_head(config: SynthConfig, index: int) -> str:
    """Start of a sequence's entry in the truth, up to its frames."""
    facts = {
        "sequence": sequences.pair_name(index),
        "light": "night" if sequences.is_night(index) else "day",
        "homography": sequences.rig(config.seed, index, config.size).ravel().tolist(),
    }
    return json.dumps(facts)[:-1] + ', "frames": [\n'


def in_plain_view(sequence: str, row: dict[str, object]) -> dict[str, object]:
    """The exact boxes of a pair as a detector would hand them over: what is in plain view and not tiny."""
    objects = row["objects"]
    found = [
        item
        for item in (objects if isinstance(objects, list) else [])
        if item["visibility"] >= MIN_VISIBILITY and min(item["box"][2:]) >= MIN_SIDE
    ]
    return {
        "pair_id": f"{sequence}/{row['frame']}",
        "boxes": [item["box"] for item in found],
        "scores": [item["visibility"] for item in found],
        "classes": [item["class"] for item in found],
        "id": [item["id"] for item in found],
    }
