"""Samples: windows with their own boxes and targets, randomness by draw, pictures blanked alike."""

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pipeline import images
from pipeline.boxes import iou
from pipeline.errors import DataError
from pipeline.labels import LABEL_STRIDE, box_state
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.loading import EpochSampler, read_batches
from trainer.data.shards import Source, open_source
from trainer.data.targets import mixture_densities
from trainer.data.views.cut import MEAN_COLOUR
from trainer.data.views.decoded import DecodedPictures
from trainer.recipes.geometry import geometry_of

from ..train_world import HEIGHT, shard, write_world

BOTH = Feeding(("rgb", "tir"), ("tir", "rgb"))
JOINED = Feeding(("rgb-tir",), ("tir-rgb",))
ALL = {"window_flip": 0}
"""Windows that are mirrored all together or not at all."""
BRIGHT = 150
"""Between the brightest background and the darkest target that the brightness jitter makes."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return open_source((write_world(tmp_path_factory.mktemp("shards")),))


def dataset(source: Source, tracker: str = "dimp18", feeding: Feeding = BOTH, **changes: Any) -> PairDataset:
    spec = dataclasses.replace(geometry_of(tracker), **changes.pop("spec", {}))
    options: dict[str, Any] = {"samples": 10, "seed": 0} | changes
    return PairDataset(source, np.arange(len(source.names)), spec, feeding, **options)


def marked(image: np.ndarray) -> np.ndarray:
    """Where a window (3, S, S) shows the target."""
    return np.asarray(image.mean(0) > BRIGHT)


def expected_mask(box: np.ndarray, size: int) -> np.ndarray:
    """The pixels whose centre lies in a box."""
    centre = np.arange(size) + 0.5
    inside = [(centre > low) & (centre < low + side) for low, side in zip(box[:2], box[2:])]
    return np.asarray(inside[1][:, None] & inside[0][None])


@pytest.mark.parametrize("branch", ["reference", "test"])
@pytest.mark.parametrize("modality", ["rgb", "tir"])
@pytest.mark.parametrize(
    ("tracker", "spec"),
    [("dimp18", {}), ("superdimp", {"flip": 0, **ALL}), ("superdimp", {"flip": 1, **ALL}), ("atom", {})],
)
def test_each_branch_has_the_box_of_its_own_window(
    source: Source, tracker: str, spec: dict[str, float], branch: str, modality: str
) -> None:
    samples = dataset(source, tracker, spec=spec)
    overlaps, apart = [], 0
    for draw in range(10):
        sample = samples[draw]
        seen, wanted = marked(sample[f"{branch}_{modality}"]), expected_mask(sample[f"{branch}_box"], samples.spec.size)
        apart += not np.allclose(sample["reference_box"], sample["test_box"], atol=8)
        if wanted.sum() > 200:
            overlaps.append((seen & wanted).sum() / (seen | wanted).sum())
    assert len(overlaps) > 5
    # Large windows of SuperDiMP, shifted inside a small picture, may coincide.
    assert apart >= (3 if tracker == "superdimp" else 8)
    assert min(overlaps) > 0.85


@pytest.mark.parametrize("tracker", ["dimp18", "superdimp"])
def test_targets_are_those_of_the_test_window(source: Source, tracker: str) -> None:
    samples = dataset(source, tracker)
    size = samples.spec.size
    peaks = 0
    for draw in range(10):
        sample = samples[draw]
        box = sample["test_box"]
        np.testing.assert_allclose(sample["state"], box_state(box), rtol=1e-5)
        assert sample["label"].shape == (size // LABEL_STRIDE + 1,) * 2
        centre = box[:2] + box[2:] / 2
        if (centre > 0).all() and (centre < size).all():
            row, column = np.unravel_index(sample["label"].argmax(), sample["label"].shape)
            assert np.abs(np.array([column, row]) * LABEL_STRIDE - centre).max() <= LABEL_STRIDE / 2 + 1e-3
            peaks += 1
        np.testing.assert_allclose(sample["proposal_iou"], iou(sample["proposals"], box), atol=2e-4)
        assert sample["proposals"].shape == (samples.spec.proposals, 4)
    assert peaks > 5


def test_superdimp_gets_the_densities_of_its_proposals(source: Source) -> None:
    sample = dataset(source, "superdimp")[3]
    density, truth = mixture_densities(sample["proposals"].astype(float), sample["test_box"].astype(float))
    np.testing.assert_allclose(sample["density"], density, rtol=2e-2)
    np.testing.assert_allclose(sample["truth_density"], truth, rtol=2e-2, atol=1e-6)
    assert "density" not in dataset(source, "dimp18")[3]


def test_without_jitter_the_box_is_in_the_middle(source: Source) -> None:
    samples = dataset(source, "atom", jitter=False)
    for draw in range(5):
        sample = samples[draw]
        for name in ("reference_box", "test_box"):
            assert np.abs(sample[name][:2] + sample[name][2:] / 2 - samples.spec.size / 2).max() < 4


def test_atom_s_reference_is_not_jittered_and_its_test_is(source: Source) -> None:
    boxes = np.array([[dataset(source, "atom")[i][f"{b}_box"] for i in range(8)] for b in ("reference", "test")])
    off = np.abs(boxes[..., :2] + boxes[..., 2:] / 2 - geometry_of("atom").size / 2).max(-1)
    assert off[0].max() < 4
    assert off[1].max() > 40


def test_a_flip_mirrors_pictures_and_boxes(source: Source) -> None:
    plain, flipped = (dataset(source, "superdimp", spec={"flip": flip, **ALL})[4] for flip in (0, 1))
    size = geometry_of("superdimp").size
    for branch, modalities in (("reference", ("rgb", "tir")), ("test", ("tir", "rgb"))):
        for modality in modalities:
            key = f"{branch}_{modality}"
            assert np.array_equal(plain[key][:, :, ::-1], flipped[key])
        x, y, w, h = plain[f"{branch}_box"]
        np.testing.assert_allclose(flipped[f"{branch}_box"], [size - 1 - x - w, y, w, h], atol=1e-3)


def equal(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[key], second[key]) for key in first)


def test_a_sample_is_a_function_of_seed_epoch_and_draw(source: Source) -> None:
    base = dataset(source)[13]
    assert equal(base, dataset(source)[13])
    # Epoch 1, draw 3, however many draws an epoch has.
    assert equal(base, dataset(source, samples=7)[10])
    # Another epoch, draw or seed gives other windows of the very same pair.
    alone, again, reseeded = (dataset(source, seed=seed) for seed in (0, 0, 1))
    for samples in (alone, again, reseeded):
        samples.draws.pairs = samples.draws.pairs[:1]
    base = alone[13]
    assert equal(base, again[13])
    for other in (alone[3], alone[14], reseeded[13]):
        assert other["pair"] == base["pair"]
        assert not np.array_equal(base["reference_box"], other["reference_box"])
        assert not np.array_equal(base["test_box"], other["test_box"])


def test_each_branch_draws_on_its_own(source: Source) -> None:
    """What one branch is fed does not move the other's window."""
    one, other = (dataset(source, feeding=Feeding(fed, ("rgb",)))[6] for fed in (("tir",), ("rgb", "tir")))
    for key in ("reference_box", "test_box", "test_rgb", "proposals"):
        assert np.array_equal(one[key], other[key])


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_change_nothing(source: Source, start: str) -> None:
    cv2.setNumThreads(1)
    samples = dataset(source, samples=4)
    alone = [samples[index] for index in range(4, 8)]
    sampler = EpochSampler(4)
    sampler.epoch = 1
    loader = DataLoader(samples, 2, sampler=sampler, num_workers=2, multiprocessing_context=start)
    batches = list(loader)
    for number, sample in enumerate(alone):
        for key, value in sample.items():
            assert torch.equal(batches[number // 2][key][number % 2], torch.as_tensor(value)), key


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_cannot_be_read_is_named_in_one_line(tmp_path: Path, workers: int) -> None:
    samples = dataset(open_source((write_world(tmp_path, shard(1, 2, cut_tir=True)),)))
    with pytest.raises(DataError) as caught:
        list(read_batches(DataLoader(samples, 2, num_workers=workers)))
    assert str(caught.value).startswith(str(tmp_path / "shard-00000.h5"))
    assert "truncated" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_processes_share_an_epoch_without_overlap() -> None:
    shares = [EpochSampler(7, rank, 2) for rank in range(2)]
    for sampler in shares:
        sampler.epoch = 3
    assert sorted(index for sampler in shares for index in sampler) == list(range(21, 27))
    assert [len(sampler) for sampler in shares] == [3, 3]


@pytest.mark.parametrize("flip", [0, 1])
def test_both_modalities_are_blanked_alike_where_tir_does_not_see(tmp_path: Path, flip: int) -> None:
    edge = 90
    quad = np.array([[0, 0], [edge, 0], [edge, HEIGHT], [0, HEIGHT]], float)
    world = open_source((write_world(tmp_path, shard(valid=quad)),))
    samples = dataset(world, spec={"flip": flip})
    colour = np.array(MEAN_COLOUR)[:, None, None]
    compared = 0
    for draw in range(10):
        sample = samples[draw]
        picture_box = world.box[world.place[sample["pair"], 2]]
        for branch in ("reference", "test"):
            blank = [(sample[f"{branch}_{m}"] == colour).all(0) for m in ("rgb", "tir")]
            assert np.array_equal(*blank)
            seen = sample[f"{branch}_box"].astype(float)
            if flip:
                seen[0] = samples.spec.size - 1 - seen[0] - seen[2]
            scale = seen[2] / picture_box[2]
            column = seen[0] + (edge - picture_box[0]) * scale
            mask = blank[0][:, ::-1] if flip else blank[0]
            first, last = int(np.floor(column - scale - 1)), int(np.ceil(column + scale + 1))
            assert not mask[:, : max(first, 0)].any()
            assert mask[:, max(last, 0) :].all()
            compared += 0 < column < samples.spec.size
    assert compared > 5


def test_pictures_are_decoded_no_larger_than_their_windows_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half as large where both windows are shrunk by two or more; boxes stay those of the very window."""
    quad = np.array([[0, 0], [90, 0], [90, HEIGHT], [0, HEIGHT]], float)
    source = open_source((write_world(tmp_path, shard(valid=quad, suffix=".jpg")),))
    samples = dataset(source, spec={"size": 80}, jitter=False, augment=False)
    samples.decoded = DecodedPictures(0)
    steps: list[int] = []
    decode = images.decode_rgb
    monkeypatch.setattr(
        images, "decode_rgb", lambda data, name, step: (steps.append(step), decode(data, name, step))[1]
    )
    small = [samples[draw] for draw in range(10)]
    sides = np.array([samples.spec.size / sample["test_box"][2] for sample in small])
    widths = np.array([source.box[source.place[sample["pair"], 2]][2] for sample in small])
    assert [step == 2 for step in steps] == (sides * widths / samples.spec.size >= 2).tolist()
    assert set(steps) == {1, 2}
    monkeypatch.setattr(images, "reduction", lambda data, wanted: 1)
    for draw, (step, sample) in enumerate(zip(steps, small)):
        whole = samples[draw]
        assert np.abs(whole["test_box"] - sample["test_box"]).max() < 1
        assert np.abs(whole["test_rgb"].astype(int) - sample["test_rgb"]).mean() < (1e-9 if step == 1 else 12)
        blank = [(each["test_tir"] == np.array(MEAN_COLOUR)[:, None, None]).all(0) for each in (whole, sample)]
        assert (blank[0] != blank[1]).mean() < 0.03


def test_a_whole_footprint_blanks_nothing(source: Source) -> None:
    sample = dataset(source)[0]
    assert not (sample["test_rgb"] == np.array(MEAN_COLOUR)[:, None, None]).all(0).any()


def test_gray_and_brightness_belong_to_training(source: Source) -> None:
    changed, plain = dataset(source)[5], dataset(source, augment=False)[5]
    assert np.array_equal(changed["test_box"], plain["test_box"])
    assert not np.array_equal(changed["test_rgb"], plain["test_rgb"])
    assert not np.array_equal(changed["test_tir"], plain["test_tir"])
    assert plain["test_rgb"][:, marked(plain["test_rgb"])].max() == 250
