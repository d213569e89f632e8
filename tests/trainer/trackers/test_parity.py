"""The sampler, the views, the memory, the localisation and whole trackers against pytracking's reference outputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from trainer.trackers import Tracker, localize, sample_patch
from trainer.trackers.online import augment
from trainer.trackers.online.memory import SampleWeights

from ...conftest import shared
from .conftest import stems

Case = Callable[[str], dict[str, Any]]
Blocks = Callable[[str, int, int], NDArray[np.float32]]
PIXEL = 1e-4
"""Share of the largest value of a picture."""
TRACKERS = {"super_dimp": "superdimp", "default": "atom"}
"""Trackers whose parameter file has another name."""
KEYS = {"superdimp": "super_dimp"}


@pytest.mark.parametrize("stem", stems("patches_*"))
def test_patches(case: Case, blocks: Blocks, stem: str) -> None:
    values = case(stem)
    image = blocks(values["im_name"], *values["im_shape"])
    for number in range(sum(key.startswith("pos_") for key in values)):
        pos, size, out, mode, bound, patch, coord = (
            values[f"{key}_{number}"]
            for key in ("pos", "sample_sz", "out_sz", "mode", "max_scale_change", "patch", "coord")
        )
        found = sample_patch(image, pos, size, out, mode, None if np.isnan(bound) else bound)
        np.testing.assert_array_equal(found.coord, coord[0])
        assert np.abs(found.image.transpose(2, 0, 1) - patch[0]).max() <= PIXEL * 255


@pytest.mark.parametrize("stem", stems("augment_*"))
def test_views(case: Case, blocks: Blocks, stem: str) -> None:
    values = case(stem)
    image = blocks(values["im_name"], values["im_size"], values["im_size"])
    names = [key.removesuffix("_shift") for key in values if key.endswith("_shift")]
    assert len(names) >= 7
    for name in names:
        kind, *arguments = name.replace("_m", "_-").split("_")
        transform = {
            "identity": lambda: augment.identity,
            "translation": lambda: augment.identity,
            "fliplr": lambda: augment.flip,
            "blur": lambda numbers=arguments: augment.blur((float(numbers[0]), float(numbers[1]))),
            "rotate": lambda numbers=arguments: augment.rotate(float(numbers[0])),
            "scale": lambda numbers=arguments: augment.scale(float(numbers[0])),
        }[kind]()
        rows, columns = (int(each) for each in values[f"{name}_shift"])
        view = augment.View(transform, (rows, columns))(image, (values["out_size"], values["out_size"]))
        assert np.abs(view.transpose(2, 0, 1) - values[name]).max() <= PIXEL * 255, name


@pytest.mark.parametrize("stem", stems("sample_weights_*"))
def test_sample_weights(case: Case, stem: str) -> None:
    values = case(stem)
    weights = SampleWeights(values["n_init"], values["memory"], 0.25)
    for rate, slot, wanted in zip(values["learning_rate"], values["replace_index"], values["weights"]):
        assert weights.add(float(rate)) == slot
        np.testing.assert_allclose(weights.values, wanted, atol=1e-6)


@pytest.mark.parametrize("stem", stems("localize_*"))
def test_localisation(case: Case, stem: str) -> None:
    values = case(stem)
    keys = ("scores", "pos", "sample_pos", "scale", "target_sz", "translation", "flag")
    for scores, pos, sample_pos, scale, size, move, flag in zip(*(values[key] for key in keys)):
        found, told = localize(scores, pos, sample_pos, scale, size)
        assert told == values["flag_names"][flag]
        np.testing.assert_allclose(found, move, atol=1e-3)


@pytest.mark.parametrize("stem", stems("track_*"))
def test_whole_tracker(case: Case, parity: Callable[[str], ModuleType], stem: str, device: torch.device) -> None:
    values = case(stem)
    name = TRACKERS.get(values["params"], values["params"])
    weights = parity("load_reference").to_state_dict(shared(f"parity/{KEYS.get(name, name)}_keys.json"), values["salt"])
    weights["bb_regressor.iou_predictor.weight"] *= 0.1
    frames, truth = parity("recipe").make_sequence(stem, *(int(each) for each in values["shape"]))
    tracker = Tracker(name, weights, device, params=json.loads(values["overrides"]))
    tracker.start(frames[0], truth[0])
    for number, frame in enumerate(frames[1:]):
        box, score = tracker.update(frame)
        allowed = max(0.02, 20 * float(values["box_sensitivity"][number]))
        assert tracker.flag == values["flag"][number], number
        assert np.abs(box - values["box"][number]).max() <= allowed, number
        assert score == pytest.approx(float(values["max_score"][number]), abs=max(1e-4, allowed / 100)), number
