"""The whole tracker with a random network: it follows nothing, but what it says must be sound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.net import build_network
from trainer.net.folding import fold_batch_norms
from trainer.trackers import Tracker
from trainer.trackers.nano import networks
from trainer.trackers.nano.networks import TorchNetworks
from trainer.trackers.parameters.defaults import resolve
from trainer.trackers.tracker import settled

from ..conftest import blob, scene

FRAMES, BOXES = blob(5)
RULES = ("pytorch", "opencv")
Weights = dict[str, Tensor]


def nano(weights: Weights, tir_range: tuple[float, float] | None = None, **params: Any) -> Tracker:
    return Tracker("nanotrack_v2", weights, params={"engine": "torch", **params}, tir_range=tir_range)


def run(tracker: Tracker, frames: Any = FRAMES, box: Any = BOXES[0]) -> NDArray[np.float64]:
    """Boxes and scores (n, 5) of all frames but the first."""
    tracker.start(frames[0], box)
    return np.stack([np.append(*tracker.update(frame)) for frame in frames[1:]])


@pytest.mark.parametrize("rules", RULES)
def test_boxes_are_sound_and_differ(weights: Weights, rules: str) -> None:
    tracker = nano(weights, rules=rules)
    found = run(tracker)
    assert np.isfinite(found).all()
    assert (found[:, 2:4] >= 10).all()
    assert ((found[:, 4] > 0) & (found[:, 4] <= 1)).all()
    assert len(np.unique(found[:, :4], axis=0)) > 1
    assert (rules == "opencv") == bool((found[:, :4] == np.trunc(found[:, :4])).all())
    assert tracker.flag == "normal"
    np.testing.assert_array_equal(found, run(tracker))


def test_the_rules_give_other_boxes(weights: Weights) -> None:
    first, second = (run(nano(weights, rules=rules)) for rules in RULES)
    assert np.abs(first - second)[:, :4].max() > 1


@pytest.mark.parametrize("rules", RULES)
def test_grey_and_three_equal_channels_are_the_same(weights: Weights, rules: str) -> None:
    colour = [np.repeat(frame[..., None], 3, axis=2) for frame in FRAMES]
    np.testing.assert_array_equal(run(nano(weights, rules=rules)), run(nano(weights, rules=rules), colour))


def test_sixteen_bits_in_a_fixed_range_are_eight_bits(weights: Weights) -> None:
    raw = [frame.astype(np.uint16) * 10 + 5000 for frame in FRAMES]
    np.testing.assert_array_equal(run(nano(weights, (5000, 7550)), raw), run(nano(weights)))


def test_the_network_sees_blue_first_but_in_opencv_red(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[NDArray[np.float32]] = []
    learn = TorchNetworks.learn

    def spy(self: TorchNetworks, template: NDArray[np.float32]) -> None:
        seen.append(template)
        learn(self, template)

    monkeypatch.setattr(TorchNetworks, "learn", spy)
    frames = [np.full((64, 64, 3), (200, 100, 50), np.uint8)]
    for rules in RULES:
        nano(weights, rules=rules).start(frames[0], (20, 20, 16, 16))
    assert [planes[0, :, 0, 0].tolist() for planes in seen] == [[50, 100, 200], [200, 100, 50]]


def test_the_template_is_that_of_the_first_frame_and_is_learnt_once(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, answer, learnt = TorchNetworks.learn, TorchNetworks.answer, []
    monkeypatch.setattr(TorchNetworks, "learn", lambda *given: (learnt.append(given[1].shape), learn(*given))[1])
    monkeypatch.setattr(TorchNetworks, "answer", lambda *given: (learnt.append(given[1].shape), answer(*given))[1])
    run(nano(weights))
    assert learnt == [(1, 3, 127, 127)] + [(1, 3, 255, 255)] * (len(FRAMES) - 1)
    frames, boxes = scene(3)
    other = [frames[2][::-1], *frames[1:]]
    assert (run(nano(weights), frames, boxes[0]) != run(nano(weights), other, boxes[0])).any()


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("box", [(-5, -8, 30, 20), (150, 110, 20, 20), (0, 0, 160, 120), (60, 50, 2, 3)])
def test_targets_at_the_border_large_and_small(weights: Weights, rules: str, box: tuple[float, ...]) -> None:
    found = run(nano(weights, rules=rules), box=box)
    assert np.isfinite(found).all()
    centres = found[:, :2] + found[:, 2:4] / 2
    assert (centres >= -1).all()
    assert (centres <= (161, 121)).all()


def test_a_small_target_may_stay_small(weights: Weights) -> None:
    """A box head that always says a crop pixel to each side makes the box as small as the rules let it become."""
    tiny = weights | {"ban_head.bbox_pred.0.weight": torch.zeros_like(weights["ban_head.bbox_pred.0.weight"])}
    tiny["ban_head.bbox_pred.0.bias"] = torch.zeros(4)
    quick = {"lr": 1.0, "penalty_k": 0.0}
    sides = [
        run(nano(tiny, **quick, **more), [*FRAMES] * 8, (70, 50, 12, 8))[-1, 2:4]
        for more in ({}, {"min_side_of_box": 0.5}, {"min_side": 3})
    ]
    np.testing.assert_allclose(sides, [(10, 10), (6, 4), (3, 3)], atol=0.01)


def test_bad_boxes_are_named(weights: Weights) -> None:
    with pytest.raises(ValueError, match=r"size 0\.0 x 5\.0"):
        nano(weights).start(FRAMES[0], (3, 4, 0, 5))


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"lrr": 1}, "no parameter 'lrr': did you mean lr"),
        ({"iounet_k": 1}, "nanotrack_v2 has no parameter 'iounet_k': .*rules"),
        ({"rules": "caffe"}, "rules is 'caffe': Input should be 'pytorch' or 'opencv'"),
        ({"engine": "tensorrt"}, "engine is 'tensorrt'"),
        ({"penalty_k": -1}, "penalty_k is -1"),
        ({"window_influence": 2}, "window_influence is 2"),
        ({"lr": 0}, "lr is 0"),
        ({"min_side": 0}, "min_side is 0"),
        ({"min_side_of_box": 0}, "min_side_of_box is 0"),
    ],
)
def test_mistakes_in_parameters_are_named(overrides: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        resolve("nanotrack_v2", overrides)


def test_another_window_is_refused() -> None:
    with pytest.raises(ValueError, match="255 pixels a side, as its head wants them, not 288"):
        resolve("nanotrack_v2", {}).in_window(288)


def test_what_runs_the_network(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where onnxruntime is missing, ``auto`` is torch, and who asks for it is told what to install."""
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    assert isinstance(nano(weights, engine="auto", rules="opencv")._engine._networks, TorchNetworks)  # type: ignore[attr-defined]
    with pytest.raises(
        ValueError, match=r"engine=onnxruntime needs onnx and onnxruntime: pip install 'cmd-tir\[onnx\]'"
    ):
        nano(weights, engine="onnxruntime")
    monkeypatch.setattr(networks, "find_spec", lambda name: name)
    net = build_network("nanotrack_v2").eval()
    with pytest.raises(ValueError, match="runs on the CPU, not on meta"):
        networks.networks(net, "onnxruntime", torch.device("meta"))
    assert settled("nanotrack_v2", {"rules": "opencv"}, "meta") == {"rules": "opencv", "engine": "torch"}
    assert settled("nanotrack_v2", {"rules": "opencv"}, "cpu")["engine"] == "onnxruntime"
    assert settled("nanotrack_v2", {}, "cpu") == {"engine": "torch"}
    assert settled("dimp18", {"iounet_k": 1}, "cpu") == {"iounet_k": 1}


def test_folded_batch_norms_compute_the_same(weights: Weights) -> None:
    net, folded = build_network("nanotrack_v2").eval(), build_network("nanotrack_v2").eval()
    for each in (net, folded):
        each.load_state_dict(weights)
    fold_batch_norms(folded)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    template, search = (torch.rand(1, 3, side, side) * 255 for side in (127, 255))
    with torch.no_grad():
        for wanted, found in zip(net(template, search), folded(template, search)):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
