from __future__ import annotations

import pytest

from pipeline.detect.classes import COCO_CLASS, COCO_NAMES


def test_the_table_joins_known_ids_and_names() -> None:
    known = {1: "person", 3: "car", 13: "stop sign", 28: "umbrella", 44: "bottle", 67: "dining table", 90: "toothbrush"}
    assert {category: COCO_NAMES[COCO_CLASS[category]] for category in known} == known
    assert sorted(COCO_CLASS.values()) == list(range(80))
    assert len(set(COCO_NAMES)) == 80


def test_the_table_is_torchvisions() -> None:
    detection = pytest.importorskip("torchvision.models.detection", reason="needs torchvision")
    names = detection.FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1.meta["categories"]
    assert {i: name for i, name in enumerate(names) if i and name != "N/A"} == {
        category: COCO_NAMES[index] for category, index in COCO_CLASS.items()
    }
