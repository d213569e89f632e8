"""Whole trackers with random weights: they follow nothing, but what they say must be sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.boxes import iou
from pipeline.errors import DataError
from trainer.checkpoints.weights import save_weights
from trainer.net import build_network
from trainer.net.folding import fold_batch_norms
from trainer.trackers import Tracker

from .conftest import SMALL, blob, scene

Small = Callable[..., Tracker]
Weights = Callable[[str], dict[str, Tensor]]
FLAGS = ("normal", "hard_negative", "uncertain", "not_found")
FRAMES, BOXES = blob(6)


def run(tracker: Tracker, frames: Any = FRAMES) -> NDArray[np.float64]:
    """Boxes (n, 4) of all frames but the first."""
    tracker.start(frames[0], BOXES[0])
    return np.stack([tracker.update(frame)[0] for frame in frames[1:]])


@pytest.mark.parametrize("name", ["dimp18", "atom"])
def test_boxes_stay_sound(small: Small, name: str) -> None:
    tracker = small(name, train_skipping=2)
    tracker.start(FRAMES[0], BOXES[0])
    for frame in FRAMES[1:]:
        box, score = tracker.update(frame)
        assert box.shape == (4,)
        assert box.dtype == np.float64
        assert np.isfinite([*box, score]).all()
        assert (box[2:] > 0).all()
        assert (box[:2] < (160, 120)).all()
        assert (box[:2] + box[2:] > 0).all()
        assert tracker.flag in FLAGS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dimp50", "superdimp"])
def test_the_large_networks_run(small: Small, name: str) -> None:
    assert np.isfinite(run(small(name), FRAMES[:3])).all()


@pytest.mark.parametrize("name", ["dimp18", "atom"])
def test_grey_and_three_equal_channels_are_the_same(small: Small, name: str) -> None:
    colour = [np.repeat(frame[..., None], 3, axis=2) for frame in FRAMES[:4]]
    np.testing.assert_array_equal(run(small(name), FRAMES[:4]), run(small(name), colour))


@pytest.mark.parametrize("name", ["dimp18", "atom"])
def test_colours_reach_the_network(small: Small, name: str) -> None:
    frames, boxes = scene(2)
    scores = []
    for shown in (frames, [frame[..., 1] for frame in frames], [frame[..., ::-1] for frame in frames]):
        tracker = small(name)
        tracker.start(shown[0], boxes[0])
        scores.append(tracker.update(shown[1])[1])
    assert len(set(scores)) == 3


@pytest.mark.parametrize("name", ["dimp18", "atom"])
def test_a_run_repeats_and_depends_on_the_seed(small: Small, name: str) -> None:
    tracker = small(name)
    first = run(tracker, FRAMES[:3])
    torch.rand(3)
    np.testing.assert_array_equal(first, run(tracker, FRAMES[:3]))
    np.testing.assert_array_equal(first, run(small(name), FRAMES[:3]))
    assert (first != run(small(name, seed=1), FRAMES[:3])).any()


def test_sixteen_bits_in_a_fixed_range_are_eight_bits(small: Small) -> None:
    raw = [frame.astype(np.uint16) * 10 + 5000 for frame in FRAMES[:3]]
    tracker = small("dimp18", tir_range=(5000, 7550))
    np.testing.assert_array_equal(run(tracker, raw), run(small("dimp18"), FRAMES[:3]))
    assert tracker.tir_range == (5000, 7550)
    free = small("dimp18")
    run(free, raw)
    assert free.tir_range == (pytest.approx(np.percentile(raw[0], 1)), pytest.approx(np.percentile(raw[0], 99.9)))


def test_a_lost_target_stays_where_it_was(small: Small) -> None:
    tracker = small("dimp18", target_not_found_threshold=1e9)
    boxes = run(tracker)
    assert tracker.flag == "not_found"
    np.testing.assert_allclose(boxes, np.tile(BOXES[0], (5, 1)), atol=1e-4)


def test_an_untrusted_frame_is_not_learnt(small: Small) -> None:
    tracker = small("dimp18", uncertain_threshold=1e9, train_skipping=1)
    tracker.start(FRAMES[0], BOXES[0])
    before = tracker._engine.filter.clone()  # type: ignore[attr-defined]
    tracker.update(FRAMES[1])
    assert tracker.flag == "uncertain"
    assert torch.equal(before, tracker._engine.filter)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("choice", "changes"), [({"hard_sample_threshold": 1e9}, True), ({"net_opt_hn_iter": 0}, False)]
)
def test_a_hard_negative_is_learnt_at_once(small: Small, choice: dict[str, Any], changes: bool) -> None:
    tracker = small("dimp18", **{"hard_sample_threshold": 1e9, **choice})
    tracker.start(FRAMES[0], BOXES[0])
    before = tracker._engine.filter.clone()  # type: ignore[attr-defined]
    tracker.update(FRAMES[1])
    assert tracker.flag == "hard_negative"
    assert torch.equal(before, tracker._engine.filter) != changes  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "params",
    [
        {"use_iou_net": False, "scale_factors": [0.9, 1.0, 1.1]},
        {"advanced_localization": False, "use_augmentation": False},
        {"border_mode": "inside", "augmentation_expansion_factor": None},
        {"border_mode": "inside_major", "box_refinement_space": "relative", "box_refinement_step_length": [0.01, 0.02]},
        {"image_sample_size": [112, 80], "iounet_augmentation": True, "window_output": True},
        {"perform_hn_without_windowing": True, "window_output": True, "integer_rounding": True},
        {"score_preprocess": "softmax", "score_filter_ksz": 3, "filter_reg": 0.2, "update_classifier": False},
        {"use_classifier": False, "use_iounet_pos_for_learning": False, "low_score_opt_threshold": 1e9},
        {"hard_negative_learning_rate": None, "train_sample_interval": 2, "random_shift_factor": 0},
        {"augmentation": {"shift": [[3, 4]], "scale": [1.2], "relativeshift": [[0.5, 0]]}, "num_init_random_boxes": 0},
    ],
    ids=lambda params: next(iter(params)),
)
def test_every_way_of_dimp_runs(small: Small, params: dict[str, Any]) -> None:
    assert np.isfinite(run(small("dimp18", **params), FRAMES[:3])).all()


@pytest.mark.parametrize(
    "params",
    [
        {"use_iou_net": False, "scale_factors": [0.9, 1.1], "window_output": True},
        {"advanced_localization": False, "feature_size_odd": True, "kernel_size": [3, 3]},
        {"use_projection_matrix": False, "CG_forgetting_rate": 10},
        {"proj_init_method": "pca", "filter_init_method": "zeros", "post_init_CG_iter": 2, "fletcher_reeves": True},
        {"min_image_sample_size": 64**2, "max_image_sample_size": 80**2, "score_upsample_factor": 2},
        {"iounet_augmentation": True, "init_CG_iter": [3, 3], "train_skipping": 1},
    ],
    ids=lambda params: next(iter(params)),
)
def test_every_way_of_atom_runs(small: Small, params: dict[str, Any]) -> None:
    assert np.isfinite(run(small("atom", **params), FRAMES[:3])).all()


def test_a_target_that_leaves_the_image_stays_partly_inside(small: Small) -> None:
    tracker = small("dimp18")
    tracker.start(FRAMES[0], (150, 110, 20, 20))
    for frame in FRAMES[1:4]:
        x, y, _, _ = tracker.update(frame)[0]
        assert x < 160
        assert y < 120


def test_weights_may_be_a_file(random_weights: Weights, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_weights(random_weights("dimp18"), file)
    from_file, from_memory = (
        run(Tracker("dimp18", each, params=SMALL), FRAMES[:2]) for each in (file, random_weights("dimp18"))
    )
    np.testing.assert_array_equal(from_file, from_memory)


def test_making_a_tracker_leaves_the_global_generator_alone(random_weights: Weights) -> None:
    torch.manual_seed(0)
    wanted = torch.rand(1)
    torch.manual_seed(0)
    Tracker("atom", random_weights("atom"))
    assert torch.rand(1) == wanted


@pytest.mark.parametrize(
    ("name", "weights", "error", "told"),
    [
        ("dimp18", None, ValueError, "dimp18 needs weights"),
        ("dimp19", None, ValueError, "'dimp19'"),
        ("dimp18", "nowhere.pth", DataError, "nowhere.pth: no such"),
        ("dimp18", {"a": torch.zeros(1)}, DataError, "the state dict: does not fit"),
        ("dimp18", {"conv1.weight": torch.zeros(1)}, ValueError, "bare backbone"),
    ],
)
def test_bad_weights_are_named(
    name: str, weights: str | Mapping[str, Tensor] | None, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        Tracker(name, weights)


def test_bad_boxes_and_calls_are_named(small: Small) -> None:
    tracker = small("dimp18")
    with pytest.raises(ValueError, match="call start"):
        tracker.update(FRAMES[0])
    with pytest.raises(ValueError, match=r"size 0\.0 x 5\.0"):
        tracker.start(FRAMES[0], (3, 4, 0, 5))
    with pytest.raises(ValueError, match="finite"):
        tracker.start(FRAMES[0], (3, 4, float("nan"), 5))


@pytest.mark.parametrize("name", ["dimp18", "atom"])
def test_folded_batch_norms_compute_the_same(name: str, random_weights: Weights) -> None:
    net, folded = build_network(name).eval(), build_network(name).eval()
    for each in (net, folded):
        each.load_state_dict(random_weights(name))
        for module in each.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                generator = torch.Generator().manual_seed(module.num_features)
                module.running_mean.uniform_(-0.1, 0.1, generator=generator)  # type: ignore[union-attr]
                module.running_var.uniform_(0.5, 1.5, generator=generator)  # type: ignore[union-attr]
    fold_batch_norms(folded)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    image, box = torch.randn(1, 3, 64, 64), torch.tensor([[[[10.0, 12.0, 30.0, 25.0]]]])
    with torch.no_grad():
        wanted, found = (
            each.predict_iou(each.modulation(features, box[:, 0, 0]), features, box)
            for each in (net, folded)
            for features in (each.backbone_features(image),)
        )
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["dimp18", "atom"])
def test_in_bfloat16_the_boxes_are_near(small: Small, name: str) -> None:
    exact, rough = run(small(name)), run(small(name, precision="bf16"))
    assert not np.array_equal(exact, rough)
    assert iou(exact, rough).min() > 0.8


def test_a_network_that_gains_nothing_from_bfloat16_says_so() -> None:
    weights = build_network("nanotrack_v2").state_dict()
    with pytest.raises(ValueError, match="precision bf16: saves nothing in nanotrack_v2"):
        Tracker("nanotrack_v2", weights, precision="bf16")


@pytest.mark.parametrize(("name", "overlap"), [("atom", 0.7), ("dimp18", 0.4)])
def test_the_classifier_follows_even_on_random_features(name: str, overlap: float) -> None:
    """Random features, normalised on the scene, tell a textured target from its background; so positions are right."""
    frames, truth = scene(7)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = build_network(name)
    for module in net.feature_extractor.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net.feature_extractor((torch.from_numpy(frames[0]).permute(2, 0, 1)[None] / 255 - 0.45) / 0.225)
    views = {"fliplr": True, "relativeshift": [[0.6, 0.6], [-0.6, -0.6]], "rotate": [10]}
    params = {"use_iou_net": False, "train_skipping": 2, "augmentation": views, "target_not_found_threshold": 0.1}
    tracker = Tracker(name, net.state_dict(), params=params)
    tracker.start(frames[0], truth[0])
    for frame, box in zip(frames[1:], truth[1:]):
        found, _ = tracker.update(frame)
        assert iou(found, box) > overlap
