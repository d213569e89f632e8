"""Several images a branch, two instants of one object, mirrors of a window's own: what a sample then holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.boxes import iou
from pipeline.labels import box_state
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding, assemble
from trainer.data.shards import Source, open_source
from trainer.data.tracks import Tracks
from trainer.recipes.geometry import geometry_of

from ..train_world import shard, small, write_world

RGB = Feeding(("rgb",), ("rgb",))
MIXED = Feeding(("rgb", "tir"), ("tir", "rgb"))
BRIGHT = 150
"""Between the brightest background and the darkest target that the brightness jitter makes."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Four sequences of five frames; an object in all of them but those of the last sequence, whose is not known."""
    content = shard(sequences=4, frames=5)
    content.patches[:15] = [dataclasses.replace(patch, track=7) for patch in content.patches[:15]]
    return open_source((write_world(tmp_path_factory.mktemp("shards"), content),))


def dataset(source: Source, tracker: str = "dimp18", feeding: Feeding = RGB, **changes: Any) -> PairDataset:
    spec = dataclasses.replace(small(geometry_of(tracker)), **changes.pop("spec", {}))
    pairs = np.arange(len(source.names))
    tracks = Tracks(source, pairs, spec.gap) if changes.pop("two", False) else None
    options: dict[str, Any] = {"samples": 40, "seed": 0, "tracks": tracks} | changes
    return PairDataset(source, pairs, spec, feeding, **options)


def shown(window: np.ndarray) -> np.ndarray:
    """The box (4,) around the bright target in a window (3, S, S), within a pixel or two."""
    rows, columns = np.nonzero(window.mean(0) > BRIGHT)
    return np.array([columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1], float)


@pytest.mark.parametrize("tracker", ["dimp18", "superdimp"])
def test_every_image_has_its_own_window_box_and_targets(source: Source, tracker: str) -> None:
    samples = dataset(source, tracker, images=3, two=True, spec={"centre_jitter": (0.5, 0.5)})
    spec = samples.spec
    for draw in range(10):
        sample = samples[draw]
        assert sample["reference_rgb"].shape == sample["test_rgb"].shape == (3, 3, spec.size, spec.size)
        assert sample["proposals"].shape == (3, spec.proposals, 4)
        for image in range(3):
            for branch in ("reference", "test"):
                box = sample[f"{branch}_box"][image]
                assert iou(shown(sample[f"{branch}_rgb"][image]), box) > 0.8
            np.testing.assert_allclose(sample["state"][image], box_state(box), rtol=1e-5)
            np.testing.assert_allclose(sample["proposal_iou"][image], iou(sample["proposals"][image], box), atol=1e-4)
            peak = np.array(np.unravel_index(sample["label"][image].argmax(), sample["label"][image].shape))
            assert np.abs(16 * peak[::-1] - (box[:2] + box[2:] / 2)).max() <= 8.5
        assert len({tuple(box) for box in sample["test_box"]}) == 3


def test_the_test_branch_sees_a_later_instant_of_the_same_sequence(source: Source) -> None:
    later = 0
    samples = dataset(source, two=True)
    for draw in range(40):
        drawn = samples.draws.draw(draw)
        (base,), (other,) = drawn.patches
        names = [source.names[samples.draws.pair_of(patch)][1].split("/") for patch in (base, other)]
        assert names[0][0] == names[1][0]
        assert samples[draw]["pair"] == samples.draws.pair_of(base)
        if names[0][0] == "video-3":
            assert base == other
        else:
            assert int(names[1][1]) > int(names[0][1])
            later += 1
    assert later > 20


def test_one_image_of_one_instant_is_drawn_as_before_and_is_the_first_of_several(source: Source) -> None:
    one, three = dataset(source), dataset(source, images=3)
    for draw in range(5):
        first, every = one[draw], three[draw]
        for key, value in first.items():
            assert np.array_equal(value, every[key] if key == "pair" else every[key][0]), key


def test_instants_leave_the_windows_and_the_choice_of_pairs_as_they_are(source: Source) -> None:
    one, two = dataset(source, jitter=False), dataset(source, jitter=False, two=True)
    for draw in range(20):
        base, other = one.draws.draw(draw), two.draws.draw(draw)
        assert (base.drained, base.mirrored) == (other.drained, other.mirrored)
        if base.patches[0] == other.patches[0]:
            assert np.array_equal(one[draw]["reference_rgb"], two[draw]["reference_rgb"])


def test_a_pair_without_patches_owns_none(tmp_path: Path) -> None:
    content = shard(sequences=1, frames=6)
    for empty in (4, 3, 0):
        del content.patches[empty]
    draws = dataset(open_source((write_world(tmp_path, content),))).draws
    assert [draws.pair_of(patch) for patch in range(3)] == [1, 2, 5]


def test_superdimp_mirrors_each_window_by_itself_too(source: Source) -> None:
    plain = dataset(source, "superdimp", spec={"flip": 0, "window_flip": 0}, images=2)
    own = dataset(source, "superdimp", spec={"flip": 0}, images=2)
    size, seen = plain.spec.size, []
    for draw in range(40):
        first, second, mirrored = plain[draw], own[draw], own.draws.draw(draw).mirrored
        for branch, name in enumerate(("reference", "test")):
            for image in range(2):
                x, y, w, h = first[f"{name}_box"][image]
                window, box = first[f"{name}_rgb"][image], [x, y, w, h]
                if mirrored[branch][image]:
                    window, box = window[..., ::-1], [size - 1 - x - w, y, w, h]
                assert np.array_equal(second[f"{name}_rgb"][image], window)
                np.testing.assert_allclose(second[f"{name}_box"][image], box, atol=1e-3)
        seen.append((*mirrored[0], *mirrored[1]))
    # Each in its own right: half of the time, and no two of them alike.
    table = np.array(seen)
    assert (np.abs(table.mean(0) - 0.5) < 0.25).all()
    assert (np.abs(np.corrcoef(table.T) - np.eye(4)) < 0.5).all()


def test_both_mirrors_together_leave_a_window_as_it_was(source: Source) -> None:
    for spec, mirrored in (({"flip": 1, "window_flip": 1}, False), ({"flip": 1, "window_flip": 0}, True)):
        drawn = dataset(source, "superdimp", spec=spec).draws.draw(3)
        assert drawn.mirrored == ([mirrored], [mirrored])
    assert dataset(source, "superdimp", augment=False).draws.draw(3).mirrored == ([False], [False])
    assert not geometry_of("dimp50").window_flip


def test_a_mirrored_window_of_joined_pictures_keeps_its_sides(source: Source) -> None:
    """The pictures are mirrored before they are joined, or RGB and TIR would change sides."""
    joined = Feeding(("rgb-tir",), ("tir-rgb",))
    samples = dataset(source, "superdimp", joined, spec={"centre_jitter": (0, 0), "scale_jitter": (0, 0)})
    mirrors = set()
    for draw in (draw for draw in range(20) if not samples.draws.draw(draw).drained):
        sample = samples[draw]
        mirrors.add(tuple(each[0] for each in samples.draws.draw(draw).mirrored))
        for name, left in (("reference_rgb-tir", True), ("test_tir-rgb", False)):
            x, y, w, h = box = sample[f"{name.partition('_')[0]}_box"]
            assert iou(shown(sample[name]), box) > 0.8
            colour = np.ptp(sample[name].astype(int), axis=0)[int(y) : int(y + h)].mean(0)
            sides = colour[: int(x) - 2].mean(), colour[int(x + w) + 2 :].mean()
            assert (sides[0] > 4 > sides[1]) == left
            assert (sides[1] > 4 > sides[0]) != left
    assert len(mirrors) == 4


@pytest.mark.parametrize("once", [False, True])
def test_a_feed_is_in_the_order_of_images_then_rows(source: Source, once: bool) -> None:
    feeding = dataclasses.replace(MIXED, once=once)
    samples = dataset(source, feeding=feeding, images=3, two=True)
    batch = torch.utils.data.default_collate([samples[draw] for draw in range(4)])
    feed = assemble(batch, feeding, torch.device("cpu"))
    rows = 4 if once else 8
    assert feed.images == 3
    assert feed.reference.shape == (3 * rows, 3, samples.spec.size, samples.spec.size)
    boxes = feed.by_image(feed.reference_box)
    assert boxes.shape == (3, rows, 4)
    for image in range(3):
        part = samples_alone(batch, image)
        alone = assemble(part, feeding, torch.device("cpu"))
        for name in ("reference", "test", "reference_box", "test_box", "label", "state", "proposals", "proposal_iou"):
            assert feed.by_image(getattr(feed, name))[image].equal(getattr(alone, name)), name


def samples_alone(batch: dict[str, Any], image: int) -> dict[str, Any]:
    """A batch of one of its images."""
    return {name: value if name == "pair" else value[:, image] for name, value in batch.items()}
