from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.images import decode_tir
from pipeline.synthetic import attributes, sequences
from pipeline.synthetic.scene import tracking_layout

Made = tuple[Path, dict[str, object]]
STILL = attributes.Fact(
    box=np.array([100.0, 80.0, 30.0, 60.0]),
    outside=0.0,
    occlusion=0.0,
    grey=180.0,
    around=(90.0, 10.0),
    shape=np.ones((24, 24), np.float32),
    alike=np.zeros((0, 4)),
    smear=0.0,
)


def _on(facts: list[attributes.Fact], scenario: str = "S") -> set[str]:
    return {name for name, flag in zip(attributes.NAMES, attributes.flags(facts, scenario)) if flag}


def test_a_still_target_has_its_scenario_alone() -> None:
    assert _on([STILL] * 5) == {"surveillance"}
    assert _on([STILL] * 5, "D") == {"drone-mounted"}
    assert _on([STILL] * 5, "V") == {"vehicle-mounted"}
    assert _on([STILL] * 5, "H") == {"hand-held"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"shape": np.zeros((24, 24), np.float32)}, {"deformation"}),
        ({"occlusion": 0.5}, {"occlusion"}),
        ({"alike": np.array([[150.0, 80.0, 30.0, 60.0]])}, {"distractor"}),
        ({"alike": np.array([[120.0, 80.0, 30.0, 60.0]])}, {"distractor", "thermal crossover"}),
        ({"alike": np.array([[400.0, 80.0, 30.0, 60.0]])}, set()),
        ({"around": (150.0, 60.0)}, {"background clutter"}),
        ({"outside": 0.4}, {"out of view"}),
        ({"box": np.array([92.5, 65.0, 45.0, 90.0])}, {"scale variation"}),
        ({"box": np.array([125.0, 80.0, 30.0, 60.0])}, {"fast motion"}),
        ({"smear": 6.0}, {"motion blur"}),
        ({"grey": 230.0}, {"intensity variation"}),
        ({"box": np.array([105.0, 92.5, 20.0, 35.0])}, {"low resolution", "scale variation"}),
        ({"box": np.array([92.5, 91.0, 45.0, 38.0])}, {"aspect ratio variation"}),
    ],
)
def test_each_event_sets_its_flags(change: dict[str, Any], expected: set[str]) -> None:
    assert _on([STILL, replace(STILL, **change), STILL]) == expected | {"surveillance"}


def test_names_follow_the_benchmark() -> None:
    assert [tracking_layout.name(i) for i in range(4)] == ["person_S_001", "car_V_001", "dog_H_001", "person_D_001"]
    names = [tracking_layout.name(i) for i in range(24)]
    assert len(set(names)) == 24
    assert "person_S_003" in names


def test_ground_truth_and_flags_of_a_sequence(made: Made) -> None:
    root = made[0] / "tracking"
    truth = np.loadtxt(root / "person_S_001" / "groundtruth_rect.txt", delimiter=",")
    assert truth.shape == (6, 4)
    assert (truth[:, 2:] > 0).all() and (truth[:, :2] >= 0).all()
    assert (truth[:, :2] + truth[:, 2:] <= np.array([320, 256]) + 0.01).all()
    flags = [int(v) for v in (root / "attributes" / "person_S_001.txt").read_text().split(",")]
    assert len(flags) == 16 and set(flags) <= {0, 1}
    on = {name for name, flag in zip(attributes.NAMES, flags) if flag}
    assert on & {"vehicle-mounted", "drone-mounted", "surveillance", "hand-held"} == {"surveillance"}
    area = truth[:, 2] * truth[:, 3]
    assert ("low resolution" in on) == bool((area < 800).any())
    aspect = truth[:, 2] / truth[:, 3]
    ratio = aspect / aspect[0]
    assert ("aspect ratio variation" in on) == bool(ratio.max() > 2 or ratio.min() < 0.5)


def test_the_target_is_where_the_ground_truth_says(made: Made) -> None:
    folder = made[0] / "tracking" / "person_S_001"
    truth = np.loadtxt(folder / "groundtruth_rect.txt", delimiter=",")
    x, y, w, h = truth[0]
    tir = decode_tir((folder / "img/0001.jpg").read_bytes(), "tir").astype(np.float32)
    body = tir[int(y + 1) : int(y + h), int(x + w / 3) : int(x + 2 * w / 3) + 1]
    around = np.r_[tir[int(y) : int(y + h), int(x) - 4], tir[int(y) : int(y + h), int(x + w) + 4]]
    assert body.mean() > around.mean() + 5


@pytest.mark.slow
@pytest.mark.parametrize("index", range(8))
def test_every_script_starts_with_its_target_in_view(index: int) -> None:
    for seed in range(3):
        seen = sequences.tracking_frame(seed, index, 0, (320, 256)).seen
        target = next(item for item in seen if item.ident == tracking_layout.TARGET)
        assert target.visibility > 0.6


def test_a_car_that_turns_does_not_deform() -> None:
    turned = [STILL, replace(STILL, shape=np.zeros((24, 24), np.float32))]
    assert attributes.flags(turned, "S", rigid=True)[0] == 0
    assert attributes.flags(turned, "S", rigid=False)[0] == 1
