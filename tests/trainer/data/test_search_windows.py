"""Windows, jitter and proposals: known answers, statistics of the base trackers, and properties."""

import dataclasses
import math
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.boxes import iou
from trainer.base_trackers import BASE_TRACKERS
from trainer.data.targets import mixture_densities, perturbed_boxes
from trainer.data.views import search_windows
from trainer.recipes.geometry import SearchSpec, geometry_of

from ...conftest import shared

SEARCHING = [name for name in sorted(BASE_TRACKERS) if isinstance(geometry_of(name), SearchSpec)]
BOX = np.array([100.0, 80.0, 60.0, 90.0])


def spec(factor: float, crop: str, size: int = 72) -> SearchSpec:
    return dataclasses.replace(geometry_of("dimp18"), size=size, factor=factor, crop=crop)


@pytest.mark.parametrize("case", [0, 1, 2, 3])
def test_windows_and_pixels_equal_the_reference(case: int) -> None:
    data = np.load(shared("parity/reference_public/crops_34.npz"))
    height, width = data["im_shape"]
    name = str(data["im_seed"])
    seed = np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)
    low = (255 * seed.random_sample((height // 8, width // 8, 3))).astype(np.float32).astype(np.uint8)
    image = np.kron(low, np.ones((8, 8, 1), np.uint8))
    box = data[f"box_{case}"].astype(np.float64)
    window = search_windows.search_window(
        box, (int(width), int(height)), spec(float(data[f"factor_{case}"]), str(data[f"mode_{case}"]))
    )
    assert (window.x, window.y, window.side) == tuple(data[f"crop_box_{case}"][:3].astype(int))
    np.testing.assert_allclose(window.to_window(box), data[f"box_in_crop_{case}"], rtol=1e-5)
    difference = np.abs(search_windows.extract(image, window).astype(int) - data[f"crop_{case}"].astype(int))
    assert difference.max() <= 1


@pytest.mark.parametrize(("branch", "which"), [("train", 0), ("test", 1)])
def test_jitter_has_the_reference_statistics(branch: str, which: int) -> None:
    data = np.load(shared("parity/reference_public/boxes_33.npz"))
    rng, tracker = np.random.default_rng(3), geometry_of("dimp50")
    out = np.array(
        [
            search_windows.jitter(BOX, tracker.centre_jitter[which], tracker.scale_jitter[which], rng)
            for _ in range(20000)
        ]
    )
    middle = (out[:, :2] + out[:, 2:] / 2) - (BOX[:2] + BOX[2:] / 2)
    size = np.sqrt(out[:, 2] * out[:, 3])[:, None]
    columns = np.concatenate([middle / size, np.log(out[:, 2:] / BOX[2:])], axis=1)
    np.testing.assert_allclose(columns.std(0), data[f"jitter_{branch}_std"], rtol=0.03)
    assert (np.abs(columns.mean(0)) < 8 * data[f"jitter_{branch}_std"] / math.sqrt(20000)).all()


def test_perturbed_boxes_have_the_reference_statistics() -> None:
    data = np.load(shared("parity/reference_public/boxes_33.npz"))
    box = data["box_0"].astype(np.float64)
    boxes, overlap = perturbed_boxes(box, 8000, np.random.default_rng(5))
    scale = math.sqrt(box[2] * box[3])
    middle = (boxes[:, :2] + boxes[:, 2:] / 2) - (box[:2] + box[2:] / 2)
    columns = np.concatenate([middle / scale, (boxes[:, 2:] - box[2:]) / scale, overlap[:, None]], axis=1)
    assert (np.abs(columns.mean(0) - data["perturb_0_mix_mean"]) < 8 * data["perturb_0_mix_std"] / 90).all()
    np.testing.assert_allclose(columns.std(0), data["perturb_0_mix_std"], rtol=0.05)


def test_mixture_densities_equal_the_reference() -> None:
    data = np.load(shared("parity/reference_public/boxes_33.npz"))
    density, truth = mixture_densities(data["gmm_proposals"].astype(np.float64), data["box_0"].astype(np.float64))
    np.testing.assert_allclose(density, data["gmm_density"], rtol=1e-3, atol=1e-12)
    np.testing.assert_allclose(truth, data["gmm_gt_density"], rtol=1e-3, atol=1e-12)


boxes_in_pictures = st.tuples(st.floats(-20, 600), st.floats(-20, 480), st.floats(2, 300), st.floats(2, 300)).map(
    np.array
)


@given(boxes_in_pictures, st.sampled_from(SEARCHING))
def test_a_box_keeps_its_place_in_the_window(box: np.ndarray, tracker: str) -> None:
    window = search_windows.search_window(box, (640, 512), geometry_of(tracker))
    seen = window.to_window(box)
    scale = window.side / window.size
    np.testing.assert_allclose(seen * scale + [window.x, window.y, 0, 0], box, atol=1e-6)
    assert search_windows.extract(np.zeros((512, 640), np.uint8), window).shape == (window.size, window.size)


@given(boxes_in_pictures, st.integers(0, 2**32 - 1))
def test_proposals_overlap_the_box_and_say_how_much(box: np.ndarray, seed: int) -> None:
    proposals, overlap = perturbed_boxes(box, 8, np.random.default_rng(seed))
    np.testing.assert_allclose(overlap, iou(proposals, box))
    assert (proposals[:, 2:] > 0).all()


def test_a_marked_pixel_is_found_where_the_window_says() -> None:
    image = np.zeros((512, 640), np.uint8)
    image[300:308, 200:208] = 255
    box = np.array([200.0, 300.0, 8.0, 8.0])
    window = search_windows.search_window(np.array([170.0, 260.0, 60.0, 60.0]), (640, 512), geometry_of("dimp18"))
    rows, columns = np.nonzero(search_windows.extract(image, window) > 127)
    x, y, w, h = window.to_window(box)
    assert abs((columns.min() + columns.max() + 1) / 2 - (x + w / 2)) < 0.6
    assert abs((rows.min() + rows.max() + 1) / 2 - (y + h / 2)) < 0.6
