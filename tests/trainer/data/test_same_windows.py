"""Rows see the same pictures: what a window shows of a modality does not depend on what else is fed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from pipeline import images
from trainer.data.controls.control import PairControl
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.shards import Source, open_source
from trainer.measure.instants import stream
from trainer.recipes.geometry import geometry_of

from ..train_world import FRAMES, SEQUENCES, picture, shard, small, write_world

FEEDINGS = {
    "b1, c1": Feeding(("tir",), ("rgb",)),
    "b2": Feeding(("rgb",), ("tir",)),
    "rgb-rgb": Feeding(("rgb",), ("rgb",)),
    "tir-tir": Feeding(("tir",), ("tir",)),
    "d3": Feeding(("rgb", "tir"), ("tir", "rgb")),
    "d3, each pair once": Feeding(("rgb", "tir"), ("tir", "rgb"), once=True),
    "features": Feeding(("tir",), ("rgb",), twin="reference"),
}
DRAWS = 40


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """RGB as JPEG, which can be decoded smaller; the TIR of one shard as PNG, which cannot, of the other as JPEG."""
    kinds = shard(suffix=".jpg"), shard(suffix=".jpg")
    tir = kinds[0].pairs.encoded["tir"]
    tir.drop()
    for number in range(SEQUENCES * FRAMES):
        tir.append(images.encode(picture(number)[0], ".png"))
    folders = (write_world(tmp_path_factory.mktemp(str(n)), each, root=f"/data/{n}") for n, each in enumerate(kinds))
    return open_source(tuple(folders))


def dataset(source: Source, feeding: Feeding, tracker: str = "dimp18", **changes: Any) -> PairDataset:
    """Windows that are so small that pictures are decoded smaller where they can."""
    spec = dataclasses.replace(small(geometry_of(tracker)), size=64)
    options: dict[str, Any] = {"samples": DRAWS, "seed": 3} | changes
    return PairDataset(source, np.arange(len(source.names)), spec, feeding, **options)


def is_window(name: str) -> bool:
    return name.endswith(("_rgb", "_tir"))


@pytest.mark.parametrize("tracker", ["dimp18", "superdimp", "atom"])
def test_a_window_of_a_modality_is_the_same_to_the_byte_whatever_is_fed(source: Source, tracker: str) -> None:
    made = {name: dataset(source, feeding, tracker) for name, feeding in FEEDINGS.items()}
    compared = 0
    for draw in range(DRAWS):
        seen: dict[str, Any] = {}
        for name, windows in made.items():
            for key, value in windows[draw].items():
                first = seen.setdefault(key, value)
                assert np.array_equal(first, value), (name, key)
                compared += first is not value and is_window(key)
    # Each of the four windows of a draw is in several rows.
    assert compared > 2 * 4 * DRAWS


def test_a_shuffled_row_sees_the_rgb_windows_of_true_pairs(source: Source) -> None:
    true = FEEDINGS["b1, c1"]
    pairs = [dataset(source, each) for each in (true, dataclasses.replace(true, control=PairControl(shuffled=True)))]
    for draw in range(DRAWS):
        own, other = (each[draw] for each in pairs)
        assert all(np.array_equal(own[key], other[key]) for key in own if key != "reference_tir")


def test_each_modality_image_and_branch_has_a_brightness_of_its_own(source: Source) -> None:
    draws = dataset(source, FEEDINGS["d3"]).draws
    names = [(branch, image, name) for branch in (0, 1) for image in (0, 1) for name in ("rgb", "tir")]
    table = np.array([[draws.brightness(index, *each) for each in names] for index in range(400)])
    assert 0.8 <= table.min() < 0.81
    assert 1.19 < table.max() <= 1.2
    assert (np.abs(np.corrcoef(table.T) - np.eye(len(names))) < 0.2).all()


def test_epochs_repeat_their_windows_and_not_their_proposals_where_nothing_is_drawn_anew(source: Source) -> None:
    anew, again = (dataset(source, FEEDINGS["d3"], redraw=redraw) for redraw in (True, False))
    for draw in range(6):
        first, later, other = again[draw], again[draw + 7 * DRAWS], anew[draw + 7 * DRAWS]
        assert all(np.array_equal(value, anew[draw][key]) for key, value in first.items())
        assert {key for key, value in first.items() if not np.array_equal(value, later[key])} == {
            "proposals",
            "proposal_iou",
        }
        assert not np.array_equal(later["reference_box"], other["reference_box"])


def test_what_is_measured_draws_no_random_numbers_of_training(source: Source) -> None:
    """Numpy fills up the words of a seed with zeros, so that fewer words were the stream of another draw."""
    for seed in (0, 3, 1_000_003):
        draws = dataset(source, FEEDINGS["d3"], samples=200, seed=seed).draws
        trained = [draws.rng(epoch * 200 + draw, kind) for epoch in (0, 1) for draw in range(200) for kind in (0, 2)]
        measured = [stream(seed, use, number) for use in ("sequences", "instants", "starts") for number in range(200)]
        first = [rng.random() for rng in (*trained, *measured)]
        assert len(set(first)) == len(first)


def test_the_size_of_decoding_is_told_by_both_pictures(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would hold though each modality were decoded in its own way."""
    steps: list[tuple[str, int]] = []
    decode = images.decode_rgb
    monkeypatch.setattr(
        images, "decode_rgb", lambda data, name, step: (steps.append((name, step)), decode(data, name, step))[1]
    )
    windows = dataset(source, FEEDINGS["rgb-rgb"])
    for draw in range(DRAWS):
        windows[draw]
    by_shard = [{step for name, step in steps if name.startswith(str(each.path))} for each in source.readers]
    assert by_shard[0] == {1}
    assert max(by_shard[1]) > 1
