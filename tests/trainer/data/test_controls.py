"""Pairs that are none, or not quite: whose TIR it is, how far it is off, and what is blanked then."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from pipeline import images
from pipeline.boxes import corners
from pipeline.errors import DataError, UsageError
from trainer.data.controls.control import PARTNER, PairControl
from trainer.data.controls.misaligned import direction, shift_tir
from trainer.data.controls.shuffled import Partners, sequence_of, swap_tir
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.shards import Source, open_source
from trainer.data.views import search_windows
from trainer.data.views.cut import MEAN_COLOUR
from trainer.data.views.decoded import DecodedPictures
from trainer.data.views.pictures import Pictures
from trainer.recipes.geometry import geometry_of

from ..train_world import FRAMES, HEIGHT, SEQUENCES, WIDTH, picture, shard, write_world

EDGE = 150
LEVEL = 20.0
FEEDINGS = {
    "true": Feeding(("tir",), ("rgb",)),
    "shuffled": Feeding(("tir",), ("rgb",), control=PairControl(shuffled=True)),
    "misalign": Feeding(("tir",), ("rgb",), control=PairControl(misalign=7.5)),
    "gray": Feeding(("gray",), ("gray",)),
    "joined and shuffled": Feeding(("rgb-tir",), ("tir-rgb",), control=PairControl(shuffled=True)),
}
TARGETS = ("pair", "reference_box", "test_box", "label", "state", "proposals")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Pair ``k`` shows picture ``k``; the TIR camera sees all of the first half, and not the right of the others."""
    cut = shard(valid=np.array([[0, 0], [EDGE, 0], [EDGE, HEIGHT], [0, HEIGHT]], float))
    half = SEQUENCES * FRAMES // 2
    cut.pairs.valid[:half] = [corners((0, 0, WIDTH, HEIGHT))] * half
    return open_source((write_world(tmp_path_factory.mktemp("shards"), cut),))


def dataset(source: Source, fed: str | Feeding, **changes: Any) -> PairDataset:
    feeding = FEEDINGS[fed] if isinstance(fed, str) else fed
    options: dict[str, Any] = {"samples": 12, "seed": 0, "augment": False} | changes
    return PairDataset(source, np.arange(len(source.names)), geometry_of("atom"), feeding, **options)


def blank(window: np.ndarray) -> np.ndarray:
    """Where a window (3, S, S) was blanked."""
    return np.asarray((window == np.array(MEAN_COLOUR)[:, None, None]).all(0))


@given(st.lists(st.integers(1, 5), min_size=2, max_size=8), st.integers(0, 2**32 - 1), st.data())
def test_shuffled_never_takes_the_same_sequence(lengths: list[int], seed: int, data: st.DataObject) -> None:
    """Of any side of any shards, in any order."""
    names = [("set", f"day/v{video}/{frame}") for video, length in enumerate(lengths) for frame in range(length)]
    names = data.draw(st.permutations(names))
    made = cast("Source", SimpleNamespace(names=names))
    side = np.array(sorted(data.draw(st.sets(st.sampled_from(range(len(names))), min_size=1))))
    if len({sequence_of(made, int(pair)) for pair in side}) < 2:
        with pytest.raises(UsageError, match="setting pairs: shuffled takes TIR of another sequence"):
            Partners(made, side)
        return
    partners, rng = Partners(made, side), np.random.default_rng(seed)
    for pair in side.tolist():
        other = partners.draw(pair, rng)
        assert other in side
        assert sequence_of(made, other) != sequence_of(made, pair)


def test_every_pair_of_the_other_sequences_is_as_likely(source: Source) -> None:
    partners, rng = Partners(source, np.arange(12)), np.random.default_rng(0)
    for pair in (0, 5, 11):
        drawn = np.bincount([partners.draw(pair, rng) for _ in range(4000)], minlength=12)
        own = np.arange(12) // FRAMES == pair // FRAMES
        assert (drawn[own] == 0).all()
        assert (np.abs(drawn[~own] - 400) < 100).all()


def test_sequences_of_one_name_in_two_data_sets_are_two() -> None:
    made = cast("Source", SimpleNamespace(names=[("kaist", "v/0"), ("flir", "v/0")]))
    assert Partners(made, np.array([0, 1])).draw(0, np.random.default_rng(0)) == 1


def test_a_shuffled_pair_has_its_own_rgb_and_the_tir_of_another(source: Source) -> None:
    samples, true = dataset(source, "shuffled"), dataset(source, "true")
    assert samples.partners
    partners = set()
    for draw in range(12):
        own, other = true[draw], samples[draw]
        assert all(np.array_equal(own[key], other[key]) for key in TARGETS)
        seen = ~blank(other["test_rgb"])
        assert np.array_equal(own["test_rgb"][:, seen], other["test_rgb"][:, seen])
        partner = samples.partners.draw(own["pair"], samples.draws.rng(draw, PARTNER))
        window = samples._window(0, box_of(source, own["pair"]), (WIDTH, HEIGHT), samples.draws.rng(draw, 0))
        seen = ~blank(other["reference_tir"])
        assert np.array_equal(
            other["reference_tir"][0, seen], search_windows.extract(picture(partner)[0], window)[seen]
        )
        partners.add(partner)
    assert len(partners) > 4


def box_of(source: Source, pair: int) -> np.ndarray:
    """The pseudo box of a pair."""
    return np.asarray(source.box[source.place[pair, 2]])


def test_tir_of_another_size_is_resized_with_its_footprint(tmp_path: Path) -> None:
    """Of half the size, in a shard of another data set."""
    small = shard(2, 1, valid=corners((0, 0, 75, HEIGHT / 2)))
    gray = [cv2.resize(picture(number)[0], (WIDTH // 2, HEIGHT // 2)) for number in range(2)]
    small.pairs.encoded["tir"].drop()
    for each in gray:
        small.pairs.encoded["tir"].append(images.encode(each.astype(np.uint8), ".png"))
    folders = (write_world(tmp_path / "a", shard(1, 1)), write_world(tmp_path / "b", small, root="/data/small"))
    source = open_source(folders)
    pictures = Pictures({"rgb": np.zeros((HEIGHT, WIDTH, 3), np.uint8)}, box_of(source, 0), None)
    swap_tir(pictures, source, 2, DecodedPictures())
    assert np.array_equal(pictures.fed["tir"], cv2.resize(gray[1], (WIDTH, HEIGHT)))
    assert pictures.unseen is not None
    # The pixel that the edge runs along may be on either side.
    assert not pictures.unseen[:, :EDGE].any()
    assert pictures.unseen[:, EDGE + 1 :].all()


def test_what_either_tir_does_not_see_is_blank_in_both_modalities(source: Source) -> None:
    both = Feeding(("rgb", "tir"), ("rgb", "tir"), control=PairControl(shuffled=True))
    true = Feeding(("rgb", "tir"), ("rgb", "tir"))
    more = 0
    for draw in range(12):
        samples = dataset(source, both)
        sample, plain = samples[draw], dataset(source, true)[draw]
        assert samples.partners
        partner = samples.partners.draw(sample["pair"], samples.draws.rng(draw, PARTNER))
        for branch in ("reference", "test"):
            own, seen = blank(plain[f"{branch}_rgb"]), blank(sample[f"{branch}_rgb"])
            assert np.array_equal(seen, blank(sample[f"{branch}_tir"]))
            assert not (own & ~seen).any()
            if partner < 6:
                assert np.array_equal(own, seen)
            more += int((seen & ~own).any())
    assert more > 3


@given(st.floats(0.01, 100), st.integers(0, 2**32 - 1), st.text("abc/", min_size=1))
def test_a_shift_has_its_length_to_the_last_digit(length: float, seed: int, sequence: str) -> None:
    assert np.linalg.norm(length * direction(seed, sequence)) == pytest.approx(length, rel=1e-12)


def test_directions_go_everywhere_and_are_the_sequence_s_and_the_seed_s() -> None:
    drawn = np.array([direction(seed, f"v{video}") for seed in range(20) for video in range(100)])
    assert np.abs(drawn.mean(0)).max() < 0.06
    assert np.bincount(((np.arctan2(*drawn.T) + np.pi) / (2 * np.pi) * 8).astype(int) % 8).min() > 180
    assert len({tuple(each) for each in drawn}) == 2000
    assert np.array_equal(direction(3, "v7"), direction(3, "v7"))


@given(st.floats(0, 12), st.floats(0, 2 * np.pi), st.floats(-5, 5), st.floats(-5, 5))
def test_tir_moves_by_the_shift_and_rgb_stays(length: float, angle: float, x: float, y: float) -> None:
    """The centroid of a bright spot, to the 1/32 of a pixel that pictures are interpolated to."""
    rows, columns = np.mgrid[:100, :120] + 0.5
    # On a level from which interpolation can also undershoot.
    spot = np.rint(LEVEL + 200 * np.exp(-((columns - 60 - x) ** 2 + (rows - 50 - y) ** 2) / 50))
    rgb = np.zeros((100, 120, 3), np.uint8)
    pictures = Pictures({"rgb": rgb, "tir": spot.astype(np.uint8)}, np.array([1.0, 2, 3, 4]), None)
    shift = length * np.array([np.cos(angle), np.sin(angle)])
    before = centroid(pictures.fed["tir"])
    shift_tir(pictures, corners((0, 0, 120, 100)), shift, "pair")
    assert np.abs(centroid(pictures.fed["tir"]) - before - shift).max() < 1 / 32 + 0.03
    assert pictures.fed["rgb"] is rgb
    assert pictures.box.tolist() == [1, 2, 3, 4]
    # What came in at the borders: all of it, and not a pixel more.
    unseen = np.zeros((100, 120), bool) if pictures.unseen is None else pictures.unseen > 0
    inside = (np.abs(columns - shift[0] - 60) < 59) & (np.abs(rows - shift[1] - 50) < 49)
    outside = (np.abs(columns - shift[0] - 60) > 61) | (np.abs(rows - shift[1] - 50) > 51)
    assert not unseen[inside].any()
    assert unseen[outside].all()


def centroid(image: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    spot = image.astype(float) - LEVEL
    return np.array([(columns * spot).sum(), (rows * spot).sum()]) / spot.sum()


def test_a_footprint_moves_with_its_camera(source: Source) -> None:
    """Of a sequence whose TIR ends at a column: both modalities end where that column has gone."""
    control = PairControl(misalign=12)
    samples = dataset(source, Feeding(("rgb", "tir"), ("rgb", "tir"), control=control), jitter=False, samples=40)
    samples.draws.pairs = samples.draws.pairs[6:]
    compared = set()
    for draw in range(40):
        sample = samples[draw]
        pair = sample["pair"]
        assert np.array_equal(blank(sample["test_rgb"]), blank(sample["test_tir"]))
        dx, dy = 12 * direction(0, sequence_of(source, pair))
        window = samples._window(1, box_of(source, pair), (WIDTH, HEIGHT), samples.draws.rng(draw, 1))
        middle = np.clip(round((HEIGHT / 2 + dy - window.y) * window.size / window.side), 0, window.size - 1)
        seen = np.flatnonzero(~blank(sample["test_tir"])[middle])
        expected = (min(EDGE + dx, WIDTH) - window.x) * window.size / window.side
        if len(seen) and 0 < expected < window.size:
            assert abs(seen[-1] + 1 - expected) <= window.size / window.side + 1
            compared.add(pair)
    assert len(compared) > 2


def test_a_sequence_has_one_shift_on_both_sides_of_the_split(source: Source) -> None:
    """Windows that measure have draws of their own, and the rig of the run."""
    windows = []
    for seed, draw in ((0, 3), (9, 4)):
        samples = dataset(source, "misalign", seed=seed, jitter=False)
        samples.draws.pairs = samples.draws.pairs[:1]
        windows.append(samples[draw]["reference_tir"])
    assert np.array_equal(*windows)


def test_a_shift_that_leaves_nothing_is_named(source: Source) -> None:
    far = Feeding(("tir",), ("rgb",), control=PairControl(misalign=1000))
    with pytest.raises(DataError, match=r"setting misalign: video-\d/\d is 200 x 160 px, of whose TIR it leaves noth"):
        dataset(source, far)[0]


def test_gray_has_no_colour_no_tir_and_a_polarity_for_each_branch(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "decode_tir", None)
    rgb = Feeding(("rgb",), ("rgb",))
    polarities = set()
    for draw in range(12):
        sample, colour = dataset(source, "gray")[draw], dataset(source, rgb)[draw]
        assert all(np.array_equal(sample[key], colour[key]) for key in TARGETS)
        found = []
        for branch in ("reference", "test"):
            window = sample[f"{branch}_gray"]
            assert (window[0] == window[1]).all() or blank(window).any()
            seen = ~blank(colour[f"{branch}_rgb"])
            plain = cv2.cvtColor(colour[f"{branch}_rgb"].transpose(1, 2, 0), cv2.COLOR_RGB2GRAY)[seen].astype(int)
            errors = [np.abs(window[0][seen] - each).max() for each in (plain, 255 - plain)]
            assert min(errors) <= 2
            found.append(int(np.argmin(errors)))
            assert np.array_equal(blank(window), ~seen)
        polarities.add(tuple(found))
    assert polarities == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.parametrize("name", FEEDINGS)
def test_workers_and_the_order_of_draws_change_nothing(source: Source, name: str) -> None:
    cv2.setNumThreads(1)
    samples = dataset(source, name, augment=True)
    alone = [samples[index] for index in reversed(range(12, 18))][::-1]
    batches = list(DataLoader(samples, 2, sampler=range(12, 18), num_workers=2))
    for number, sample in enumerate(alone):
        for key, value in sample.items():
            assert torch.equal(batches[number // 2][key][number % 2], torch.as_tensor(value)), key
