"""What every mining method must keep to, whoever wrote it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline import boxes
from pipeline.config import Settings
from pipeline.mine import MineSettings
from pipeline.mine.methods import Method, PairView, Proposed, build_method
from pipeline.mine.rederive import rederive
from pipeline.mine.settings import SHARED, MineConfig
from pipeline.registries import METHODS
from pipeline.shards.schema import MIN_COVERAGE

from ..conftest import SIZE, Data, Run, done, draw_pair

W, H = SIZE
FOOTPRINTS = {
    "whole": [[0, 0], [W, 0], [W, H], [0, H]],
    "shifted": [[40, 20], [W + 40, 20], [W + 40, H + 20], [40, H + 20]],
    "turned": [[12, -9], [W + 9, 12], [W - 12, H + 9], [-9, H - 12]],
    "inside": [[50, 40], [90, 40], [90, 75], [50, 75]],
    "tiny": [[60, 50], [60.6, 50], [60.6, 50.6], [60, 50.6]],
    "apart": [[W + 50, 0], [2 * W, 0], [2 * W, H], [W + 50, H]],
}
OTHERWISE = {
    "patches_per_pair": 2,
    "fraction": 0.3,
    "fraction_of": "area",
    "center_fraction": 0.5,
    "max_overlap": 0.5,
    "confidence": 0.6,
    "classes": (2,),
    "class_ids": "coco",
    "last_column": "score",
    "min_size": 40.0,
    "max_size": 45.0,
    "fallback": "skip",
    "detector": "yolo",
    "detector_config": "other",
    "backend": "torchvision",
    "letterbox": "rect",
    "options": {},
    "patch_size": 0,
    "warped_format": "png",
    "pairs_per_shard": 3,
    "seed": 7,
    "tubes": True,
    "max_gap": 3,
    "min_length": 4,
    "max_fb_error": 0.1,
}
"""Another value of every setting."""


@pytest.fixture(params=[*METHODS])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> MineConfig:
    """A method of the registry at its defaults; its detector, where it has one, looks boxes up."""
    rows = [{"pair_id": name, "boxes": [[40, 30, 50, 40], [62, 48, 26, 24], [2, 2, 20, 20]]} for name in FOOTPRINTS]
    path = tmp_path / "boxes.jsonl"
    path.write_text("".join(json.dumps(row | {"classes": [0, 2, 2], "scores": [0.9, 0.5, 0.7]}) + "\n" for row in rows))
    return MineConfig(aligned=tmp_path, out=tmp_path, method=request.param, detector="boxes", detections=path)


@pytest.fixture
def pairs() -> list[PairView]:
    """One pair a footprint."""
    quads = {name: np.array(quad, np.float64) for name, quad in FOOTPRINTS.items()}
    return [PairView(name, SIZE, quad, rgb=draw_pair(seed)[0]) for seed, (name, quad) in enumerate(quads.items())]


def opened(config: MineConfig) -> Method:
    method = build_method(config)
    method.open(config)
    return method


def proposed(method: Method, pairs: list[PairView]) -> dict[str, Proposed]:
    return dict(zip((pair.pair_id for pair in pairs), method.propose(pairs), strict=True))


def rows(each: Proposed) -> list[list[float]]:
    return [[*map(float, p.box), p.score, p.category] for p in each.proposals]


def test_every_box_lies_in_the_picture_and_where_both_cameras_see(config: MineConfig, pairs: list[PairView]) -> None:
    answers = proposed(opened(config), pairs)
    for pair in pairs:
        for proposal in answers[pair.pair_id].proposals:
            assert (proposal.box.shape, proposal.box.dtype.name) == ((4,), "float64")
            assert (proposal.box[2:] > 0).all()
            assert np.allclose(boxes.clip(proposal.box, *SIZE), proposal.box)
            assert boxes.coverage(proposal.box, pair.valid) >= MIN_COVERAGE
            assert 0 <= proposal.score <= 1
            assert proposal.category >= -1
        assert len(answers[pair.pair_id].proposals) <= config.patches_per_pair
    assert all(answers[name].proposals for name in ("whole", "shifted", "turned", "inside"))


def test_where_the_cameras_see_nothing_in_common_nothing_is_proposed_and_it_says_why(
    config: MineConfig, pairs: list[PairView]
) -> None:
    answers = proposed(opened(config), pairs)
    for name in ("tiny", "apart"):
        assert answers[name].proposals == []
        assert [reason for reason, _ in answers[name].left_out] == ["outside_tir"]


def test_boxes_are_a_function_of_settings_and_pair(config: MineConfig, pairs: list[PairView]) -> None:
    together = {name: rows(each) for name, each in proposed(opened(config), pairs).items()}
    backwards = {name: rows(each) for name, each in proposed(opened(config), pairs[::-1]).items()}
    alone = {pair.pair_id: rows(proposed(opened(config), [pair])[pair.pair_id]) for pair in pairs}
    assert together == backwards == alone
    assert list(opened(config).propose([])) == []


def test_what_is_derived_again_is_what_was_proposed_or_nothing_is_derived(
    config: MineConfig, pairs: list[PairView]
) -> None:
    method = opened(config)
    answers = proposed(method, pairs)
    for pair in pairs:
        again = rederive(method.recipe(), pair.pair_id, pair.size, pair.valid)
        derived = build_method(config).derive(PairView(pair.pair_id, pair.size, pair.valid))
        assert (again is None) == (derived is None)
        if again is not None:
            assert np.array_equal(again, np.reshape([p.box for p in answers[pair.pair_id].proposals], (-1, 4)))


def test_another_seed_changes_boxes_only_where_the_seed_is_used(config: MineConfig, pairs: list[PairView]) -> None:
    """Of two pairs that differ in their names alone, a method that draws makes different boxes."""
    twin = PairView("twin", SIZE, pairs[0].valid, rgb=pairs[0].rgb)
    first, other = (proposed(opened(config), [pair])[pair.pair_id] for pair in (pairs[0], twin))
    seeded = proposed(opened(config.model_copy(update={"seed": 7})), [pairs[0]])[pairs[0].pair_id]
    if rows(first) != rows(seeded):
        assert rows(first) != rows(other)


@pytest.mark.parametrize("name", sorted(set(MineSettings.model_fields) - {"method"}))
def test_recorded_settings_are_those_that_are_used(config: MineConfig, pairs: list[PairView], name: str) -> None:
    base = build_method(config)
    changed = config.model_copy(update={name: OTHERWISE[name]})
    if name in base.uses | SHARED:
        assert build_method(changed).recipe()[name] != base.recipe().get(name)
        return
    assert build_method(changed).recipe() == base.recipe()
    assert {n: rows(each) for n, each in proposed(opened(changed), pairs).items()} == {
        n: rows(each) for n, each in proposed(opened(config), pairs).items()
    }


def test_it_uses_settings_that_there_are_and_records_them_as_json(config: MineConfig) -> None:
    method = build_method(config)
    assert method.uses <= set(MineSettings.model_fields) - SHARED
    assert issubclass(method.Options, Settings)
    recipe = method.recipe()
    assert json.loads(json.dumps(recipe)) == recipe
    assert recipe["method"] == config.method
    known = {key: value for key, value in recipe.items() if key in MineSettings.model_fields}
    assert build_method(MineSettings.model_validate(known)).recipe() == recipe, "its settings are not rebuilt from it"


@pytest.mark.parametrize("method", [*METHODS])
def test_what_the_command_makes_of_it_is_sound(data: Data, prep: Run, method: str) -> None:
    found = data.root / "boxes.jsonl"
    found.write_text("".join(json.dumps({"pair_id": r.pair_id, "boxes": [[40, 30, 50, 40]]}) + "\n" for r in data.rows))
    boxes = ("--detector", "boxes", "--detections", found) if method == "detection" else ()
    done(prep("mine", "--aligned", data.aligned, "--method", method, *boxes, "--out", data.root / "s"))
    assert "6 pairs" in done(prep("verify", data.root / "s", "--deep"))
