"""Numbers of objects: the same object keeps its own over a sequence, and nothing else has it."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.detect.formats import open_boxes
from pipeline.synthetic.scene import layout
from pipeline.synthetic.scene.scene import PAIRS

Made = tuple[Path, dict[str, object]]


def test_boxes_for_a_detector_say_whose_they_are(made: Made) -> None:
    truth = json.loads((made[0] / "pairs/truth.json").read_text())
    path = made[0] / "pairs/detections.jsonl"
    rows = {row["pair_id"]: row for row in map(json.loads, path.read_text().splitlines())}
    files = open_boxes(path)
    for sequence in truth["sequences"]:
        kinds: dict[int, str] = {}
        for frame in sequence["frames"]:
            name = f"{sequence['sequence']}/{frame['frame']}"
            boxes = {item["id"]: item["box"] for item in frame["objects"]}
            assert [boxes[ident] for ident in rows[name]["id"]] == rows[name]["boxes"]
            assert list(files.read(name, files.columns([name], None)).ids) == rows[name]["id"]
            for item in frame["objects"]:
                assert kinds.setdefault(item["id"], item["name"]) == item["name"]
        assert len(kinds) > 3


@pytest.mark.parametrize("index", range(6))
def test_an_object_walks_on_and_never_appears_elsewhere(index: int) -> None:
    """One who has come to the end of the way is gone; the next one who sets out is somebody else."""
    scene = layout.place(4, (PAIRS, index), (96, 96), index % 2 == 1, index % 4 < 2)
    anew = 0
    for actor in scene.actors:
        seen = [actor.at(frame * scene.step, scene.view) for frame in range(201)]
        for now, then in pairwise(seen):
            for one, other in zip(now, then, strict=True):
                way = float(np.hypot(one.pose.x - other.pose.x, one.pose.z - other.pose.z))
                assert (one.ident == other.ident) == (way < actor.path.speed * scene.step + 0.1)
                anew += one.ident != other.ident
    assert anew > 0
