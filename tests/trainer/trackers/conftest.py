"""Reference cases of the trackers, and a small tracker with random weights for the tests that need none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.net.precision import Precision
from trainer.trackers import Tracker

from ...conftest import REPOSITORY, reference_module, shared
from ..random_networks import drawn_once

CASES = REPOSITORY.parent / "shared" / "parity" / "reference_public"
SMALL = {
    "image_sample_size": 96,
    "augmentation": {"fliplr": True, "blur": [[2, 1]], "rotate": [20], "dropout": [1, 0.2]},
    "net_opt_iter": 2,
    "sample_memory_size": 8,
    "num_init_random_boxes": 3,
    "box_refinement_iter": 2,
    "target_not_found_threshold": -1e9,
}
"""DiMP in a tenth of its time, never losing its target."""
SMALL_ATOM = {key: value for key, value in SMALL.items() if key not in ("image_sample_size", "net_opt_iter")} | {
    "min_image_sample_size": 96**2,
    "max_image_sample_size": 96**2,
    "init_CG_iter": 6,
    "init_GN_iter": 2,
}


def stems(pattern: str) -> list[str]:
    """Names of the reference cases that match, or one that tells why there is none."""
    return sorted(path.stem for path in CASES.glob(f"{pattern}.npz")) or [pattern]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors are slower on several threads, above all where other tests run beside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def parity() -> Callable[[str], ModuleType]:
    """Loads ``recipe`` or ``load_reference`` from beside the reference cases."""

    return reference_module


@pytest.fixture(scope="session")
def case() -> Callable[[str], dict[str, Any]]:
    """Loads a reference case."""

    def load(stem: str) -> dict[str, Any]:
        with np.load(shared(f"parity/reference_public/{stem}.npz")) as arrays:
            return {key: arrays[key].item() if arrays[key].shape == () else arrays[key] for key in arrays.files}

    return load


@pytest.fixture(scope="session")
def blocks(parity: Callable[[str], ModuleType]) -> Callable[[str, int, int], NDArray[np.float32]]:
    """The pictures of the sampler's and the views' cases: (H, W, 3) of 8 x 8 blocks."""

    def picture(name: str, height: int, width: int) -> NDArray[np.float32]:
        cells = parity("recipe").uni(name, (height // 8, width // 8, 3), 0, 255)
        return np.asarray(np.kron(cells, np.ones((8, 8, 1), np.float32)), np.float32)

    return picture


@pytest.fixture(scope="session")
def random_weights() -> Callable[[str], dict[str, Tensor]]:
    """Seeded random weights of a tracker's network, whose IoU-net is kept from leaping."""
    made: dict[str, dict[str, Tensor]] = {}

    def weights(name: str) -> dict[str, Tensor]:
        if name not in made:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(3)
                made[name] = drawn_once(name).state_dict()
            made[name]["bb_regressor.iou_predictor.weight"] *= 0.01
        return made[name]

    return weights


@pytest.fixture(scope="session")
def small(random_weights: Callable[[str], dict[str, Tensor]]) -> Callable[..., Tracker]:
    """Makes a small tracker: ``small("dimp18", seed=1, train_skipping=2)``."""

    def make(
        name: str,
        seed: int = 0,
        tir_range: tuple[float, float] | None = None,
        precision: Precision = "float32",
        **params: Any,
    ) -> Tracker:
        own = {**(SMALL_ATOM if name == "atom" else SMALL), **params}
        with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng(devices=[]):
            # Weights take the place of those that are drawn.
            patch.setattr("trainer.trackers.model.build_network", drawn_once)
            torch.manual_seed(3)
            return Tracker(name, random_weights(name), params=own, seed=seed, tir_range=tir_range, precision=precision)

    return make


def blob(frames: int, height: int = 120, width: int = 160) -> tuple[list[NDArray[np.uint8]], NDArray[np.float64]]:
    """Grey frames of a bright blob that moves over noise, and its boxes."""
    rng = np.random.default_rng(0)
    ground = rng.integers(30, 90, (height, width)).astype(np.uint8)
    pictures, boxes = [], []
    for step in range(frames):
        x, y = 40 + 4 * step, 50 + 2 * step
        picture = ground.copy()
        picture[y : y + 20, x : x + 26] = 220
        pictures.append(picture)
        boxes.append((x, y, 26, 20))
    return pictures, np.array(boxes, np.float64)


def scene(frames: int) -> tuple[list[NDArray[np.uint8]], NDArray[np.float64]]:
    """Colour frames of a textured patch that moves over a blocky background, and its boxes."""
    rng = np.random.default_rng(1)
    block = np.ones((8, 8, 1))
    ground = np.kron(rng.integers(20, 160, (30, 40, 3)), block)
    patch = np.kron(rng.integers(60, 255, (5, 6, 3)), block)
    pictures, boxes = [], []
    for step in range(frames):
        x, y = 110 + 3 * step, 80 + 2 * step
        picture = ground.copy()
        picture[y : y + 40, x : x + 48] = patch
        pictures.append(picture.astype(np.uint8))
        boxes.append((x, y, 48, 40))
    return pictures, np.array(boxes, np.float64)
