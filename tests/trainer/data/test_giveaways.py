"""What gives targets away: the middle of the window, borders that it shows; and the warning that says so."""

import dataclasses
import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.boxes import corners, iou
from trainer.data import giveaways
from trainer.data.controls import PairControl
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.giveaways import Giveaway, Prior, borders_box, measure
from trainer.data.shards import Source, open_source
from trainer.data.training_data import open_training_data
from trainer.data.views.search_windows import Framed
from trainer.recipes.geometry import geometry_of
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import make_settings

from ..train_world import HEIGHT, WIDTH, shard, write_world

ALONE, JOINED = Feeding(("rgb",), ("tir",)), Feeding(("rgb-tir",), ("tir-rgb",))
SIZE = 288
numbers = st.floats(0.05, 0.95)


def write_boxes(folder: Path, box: tuple[float, ...], valid: np.ndarray | None = None, **config: object) -> Path:
    """Shards of equal pictures whose patches are all one box."""
    content = shard(valid=valid)
    content.config.update(config)
    content.patches = [dataclasses.replace(patch, box=np.array(box)) for patch in content.patches]
    return write_world(folder, content)


def windows(source: Source, tracker: str = "dimp18", feeding: Feeding = ALONE, **spec: float) -> PairDataset:
    geometry = dataclasses.replace(geometry_of(tracker), **spec)
    return PairDataset(source, np.arange(len(source.names)), geometry, feeding, samples=7, seed=3)


@given(st.floats(20, 200), st.floats(20, 200), st.floats(-60, 200), st.floats(-60, 200), st.tuples(*[numbers] * 4))
def test_what_follows_from_edges_is_exact(w: float, h: float, x: float, y: float, share: tuple[float, ...]) -> None:
    """A target of known share: both edges of an axis tell it, and one of the other where the shape is known."""
    area = np.array([x, y, w, h])
    cx, cy, sw, sh = share
    target = np.array([x + (cx - sw / 2) * w, y + (cy - sh / 2) * h, sw * w, sh * h])
    prior = Prior(np.array(share), w / h, np.array([100.0, 90, 33, 44]))
    found = borders_box(area, SIZE, prior)
    low, high = area[:2], area[:2] + area[2:]
    low_seen, high_seen = ((edge >= 1) & (edge <= SIZE - 1) for edge in (low, high))
    both = low_seen & high_seen
    for axis in (0, 1):
        if both[axis] or (both[1 - axis] and (low_seen | high_seen)[axis]):
            np.testing.assert_allclose(found[axis::2], target[axis::2], atol=1e-6)
        elif not (low_seen | high_seen)[axis]:
            assert found[axis] + found[axis + 2] / 2 == pytest.approx(prior.middle[axis])
        if both.any():
            assert found[axis + 2] == pytest.approx(target[axis + 2])
        else:
            assert found[axis + 2] == pytest.approx(prior.middle[axis + 2])


def test_one_edge_alone_is_taken_for_that_of_the_median_scale() -> None:
    prior = Prior(np.array([0.25, 0.5, 0.1, 0.2]), 1.0, np.array([140.0, 150, 40, 60]))
    # An axis of 40 / 0.1 = 400 pixels whose left edge lies at 50, then one whose right edge does.
    for x, middle in ((50, 50 + 100), (50 - 700, 50 - 300)):
        box = borders_box(np.array([x, -500, 700, 2000]), SIZE, prior)
        assert box.tolist() == [middle - 20, 150 - 30, 40, 60]


def test_without_an_edge_it_is_the_median_window() -> None:
    prior = Prior(np.array([0.3, 0.4, 0.1, 0.1]), 1.25, np.array([140.0, 150, 40, 60]))
    for area in ([-10, -10, 400, 400], [0, 0, SIZE, SIZE], [-300, -300, 300.5, 300.5]):
        assert borders_box(np.array(area, float), SIZE, prior).tolist() == [120, 120, 40, 60]


def test_a_prior_is_the_median_of_windows() -> None:
    seen = [Framed(np.array([x, 60, 20, 10.0]), np.array([0, 50, 100, 50.0])) for x in (10, 30, 80)]
    prior = Prior.of(seen)
    np.testing.assert_allclose(prior.share, [0.4, 0.3, 0.2, 0.2])
    assert (prior.aspect, prior.middle.tolist()) == (2.0, [40, 65, 20, 10])


@pytest.mark.parametrize("control", [None, PairControl(misalign=25.0), PairControl(shuffled=True)])
@pytest.mark.parametrize("feeding", [ALONE, JOINED])
@pytest.mark.parametrize(
    ("tracker", "spec"), [("dimp18", {}), ("superdimp", {"flip": 0.0}), ("superdimp", {"flip": 1.0}), ("atom", {})]
)
def test_what_is_told_of_a_window_is_what_its_pixels_show(
    tmp_path: Path, tracker: str, spec: dict[str, float], feeding: Feeding, control: PairControl | None
) -> None:
    """The box is the sample's, and outside of the common area nothing but the blank and a copied border lies."""
    content = shard(valid=corners((40, 30, 120, 100)))
    content.pairs.valid[4:] = [corners((55, 28, 110, 90))] * len(content.pairs.valid[4:])
    source = open_source((write_world(tmp_path, content),))
    draws = windows(source, tracker, dataclasses.replace(feeding, control=control), **spec)
    checked = 0
    for index in range(7):
        sample = draws[index]
        for name, seen, fed in zip(("reference", "test"), draws.framed(index), (feeding.reference, feeding.test)):
            np.testing.assert_allclose(seen.box, sample[f"{name}_box"], atol=1e-3)
            blank = (np.abs(sample[f"{name}_{fed[0]}"].mean(0) - np.mean([124, 116, 104])) < 1.5).astype(np.uint8)
            columns, rows = np.flatnonzero(blank.mean(0) < 0.97), np.flatnonzero(blank.mean(1) < 0.97)
            for axis, shown in ((0, columns), (1, rows)):
                low, high = seen.area[axis], seen.area[axis] + seen.area[axis + 2]
                if feeding.joined and not low <= seen.box[axis] <= seen.box[axis] + seen.box[axis + 2] <= high:
                    # A seam that lies outside shows edges between the two pictures.
                    continue
                if 2 < low < draws.spec.size - 20 and high > low + 20 and len(shown):
                    assert abs(shown[0] - low) < 3
                    checked += 1
                if 20 < high < draws.spec.size - 2 and high > low + 20 and len(shown):
                    assert abs(shown[-1] + 1 - high) < 3
                    checked += 1
    assert checked > 5


def test_the_middle_and_the_borders_give_large_centre_boxes_away_and_small_ones_not(tmp_path: Path) -> None:
    """A third and an eighth of the short side; the window is longer than the picture, or far shorter."""
    side, found = HEIGHT, {}
    for part in (3, 8):
        box = (WIDTH / 2 - side / part / 2, HEIGHT / 2 - side / part / 2, side / part, side / part)
        source = open_source((write_boxes(tmp_path / str(part), box),))
        found[part] = measure(windows(source), 300)["test"]
    assert found[3].middle > 0.7
    assert found[3].borders_iou > 0.8
    assert found[8].middle < 0.15
    assert found[8].borders_iou < 0.25


def test_the_share_in_the_middle_is_that_of_the_boxes_drawn(tmp_path: Path) -> None:
    source = open_source((write_world(tmp_path),))
    draws = windows(source)
    boxes = np.array([draws[index]["test_box"] for index in range(60)], float)
    off = np.abs(boxes[:, :2] + boxes[:, 2:] / 2 - SIZE / 2)
    inside = ((off <= 8).all(axis=1)).mean()
    found = measure(draws, 60)["test"]
    assert found.middle == pytest.approx(inside, abs=0.02)
    prior = Prior.of([draws.framed(index)[1] for index in range(60)])
    guesses = [borders_box(draws.framed(index)[1].area, SIZE, prior) for index in range(60)]
    assert found.borders_iou == pytest.approx(float(iou(guesses, boxes).mean()), abs=0.02)


def edges(draws: PairDataset) -> float:
    """Share of test windows that show an edge of the common area."""
    areas = np.array([draws.framed(index)[1].area for index in range(200)])
    seen = np.concatenate([areas[:, :2], areas[:, :2] + areas[:, 2:]], axis=1)
    return float(((seen >= 1) & (seen <= SIZE - 1)).any(axis=1).mean())


def test_unshifted_windows_and_small_footprints_show_more(tmp_path: Path) -> None:
    """ATOM's windows reach beyond the picture; those of DiMP stay inside it and show the footprint's edge."""
    box = (WIDTH / 2 - 8, HEIGHT / 2 - 8, 16, 16)
    whole, part = (
        open_source((write_boxes(tmp_path / name, box, valid),))
        for name, valid in (("whole", None), ("part", corners((40, 32, 120, 96))))
    )
    assert edges(windows(whole, "atom")) > edges(windows(whole)) + 0.1
    assert edges(windows(part)) > edges(windows(whole)) + 0.3
    assert measure(windows(part), 200)["test"].borders_iou > measure(windows(whole), 200)["test"].borders_iou + 0.1


def checked(folder: Path, recipe: str = "c1", tracker: str = "dimp18", **more: object) -> dict[str, Giveaway]:
    chosen = make_settings({"recipe": recipe, "tracker": tracker, "held_out": 0.0} | more)
    return giveaways.check(open_training_data(chosen, resolve_row(chosen), [folder]))


LARGE = (60.0, 40.0, 80.0, 80.0)


@pytest.mark.parametrize(
    ("recipe", "config", "remedy"),
    [
        ("c1", {"method": "center", "center_fraction": 1 / 3}, "mine again with --center-fraction 0.125"),
        ("c1", {"method": "center", "center_fraction": 0.1}, "mine again with --center-fraction 0.05"),
        ("c1", {"method": "center"}, "mine again with --center-fraction 0.125"),
        ("d4", {"method": "random", "fraction": 0.4}, "mine again with a --fraction under 0.4"),
        ("d5", {"method": "detection"}, "mine again with a --max-size under 1/5 of the picture's short side"),
        ("c1", {"method": "own:Large"}, "mine smaller boxes than own:Large did"),
    ],
)
def test_one_line_warns_and_says_what_to_do(
    tmp_path: Path, recipe: str, config: dict[str, object], remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = checked(write_boxes(tmp_path, LARGE, **config), recipe)
    (line,) = [record.message for record in caplog.records if "away" in record.message]
    assert line == (
        "windows give their targets away without a look at them "
        f"(reference: {giveaways.tell(found['reference'])}; test: {giveaways.tell(found['test'])}): {remedy}"
    )


def test_small_targets_are_not_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = checked(write_boxes(tmp_path, (95, 75, 10, 10)))
    assert all(each.middle < 0.25 and each.borders_iou < 0.5 for each in found.values())
    assert "away" not in caplog.text


def test_windows_that_are_centred_by_design_are_measured_and_not_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_boxes(tmp_path, (95, 75, 10, 10))
    assert checked(folder, "atom_b1", "atom")["reference"].middle == 1
    assert "away" not in caplog.text
    with caplog.at_level(logging.WARNING):
        assert checked(folder, jitter="none")["test"].middle == 1
    assert "jitter is off" in caplog.text
    assert "away" not in caplog.text


def test_nothing_is_decoded_and_the_same_draws_give_the_same_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source((write_world(tmp_path),))
    first = measure(windows(source), 40)
    monkeypatch.setattr("pipeline.images.decode_rgb", None)
    monkeypatch.setattr("pipeline.images.decode_tir", None)
    torch.manual_seed(5)
    assert measure(windows(source), 40) == first
    assert json.dumps({name: dataclasses.asdict(each) for name, each in first.items()})
