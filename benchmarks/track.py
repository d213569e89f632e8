"""Tracking on one frame after another, split into its parts, against the same tracker written straightforwardly.

The yardstick is float32 too: whole frames become floats, features are in (N, C, H, W) order, modules run one by one,
proposals are scored one by one, and autograd is merely told not to record. Both see the same frames, in turn, and must
give the same boxes. Weights are random: time does not depend on them, as long as no frame is given up.

``python -m benchmarks.track [TRACKER ...]``, on the GPU where there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.measure import in_turn, now, report
from pipeline.runtime.device import resolve_device
from trainer.net import build_network
from trainer.net.backbone import Features
from trainer.net.iou_net import BoxFeatures, IoUNet, Modulation
from trainer.trackers import Tracker, refine
from trainer.trackers.online import AtomEngine, DimpEngine
from trainer.trackers.online.engine import OnlineEngine
from trainer.trackers.parameters.defaults import resolve
from trainer.trackers.patch import Patch, Vector

FRAMES = 20
"""Frames a round: the filter is improved once."""
ROUNDS = 3
SIZE = (512, 640)
STEADY = {"target_not_found_threshold": -1e9, "distractor_threshold": 1e9, "hard_negative_threshold": 1e9}
"""Every frame is refined and learnt from."""
TOLERANCE = 0.02
PARTS = {"_crops": "crop", "_backbone": "backbone", "_learn": "classifier_update", "refine": "refinement"}
"""Methods, and the parts of a frame that they are."""

Box = NDArray[np.float64]


def main() -> None:
    """Print one line a tracker."""
    torch.manual_seed(0)
    device = resolve_device("auto")
    for name in sys.argv[1:] or ["dimp50"]:
        weights = random_weights(name)
        ours: Any = Tracker(name, weights, device, STEADY)._engine
        plain = _plain(name, weights, device)
        boxes: dict[str, list[Box]] = {"ours": [], "plain": []}
        work = {
            "ours": _rounds(ours, boxes["ours"], torch.inference_mode),
            "plain": _rounds(plain, boxes["plain"], _plainly),
        }
        spent = _timed(ours, device)
        rates = in_turn(work, ROUNDS)
        count = len(boxes["ours"])
        apart = float(np.abs(np.array(boxes["ours"]) - np.array(boxes["plain"])).max())
        report(
            "track",
            tracker=name,
            device=str(device),
            threads=torch.get_num_threads(),
            frames=count,
            frames_per_s=rates["ours"],
            plain_frames_per_s=rates["plain"],
            ratio=rates["ours"] / rates["plain"],
            frames_per_s_of={part: round(count / seconds, 1) for part, seconds in spent.items()},
            share_of={part: round(seconds / sum(spent.values()), 3) for part, seconds in spent.items()},
            box_difference_px=apart,
            equal_boxes=apart < TOLERANCE,
        )


def random_weights(name: str) -> dict[str, Tensor]:
    """Random weights with statistics of the scene, which suffice to follow the blob; the box branch moves by little."""
    net: Any = build_network(name)
    picture = torch.from_numpy(next(frames())).permute(2, 0, 1)[None] / 255
    for module in net.feature_extractor.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net.feature_extractor((picture - 0.45) / 0.225)
    weights: dict[str, Tensor] = net.state_dict()
    weights["bb_regressor.iou_predictor.weight"] *= 0.01
    return weights


def frames() -> Iterator[NDArray[np.uint8]]:
    """A warm blob that wanders over a cool, noisy scene: (H, W, 3), grey."""
    rng = np.random.default_rng(0)
    scene = np.kron(rng.integers(30, 110, (SIZE[0] // 16, SIZE[1] // 16)), np.ones((16, 16))).astype(np.uint8)
    scene += rng.integers(0, 12, SIZE).astype(np.uint8)
    for step in range(1 + FRAMES * ROUNDS):
        frame = scene.copy()
        frame[200 + step : 256 + step, 260 + 2 * step : 332 + 2 * step] += np.uint8(130)
        yield np.repeat(frame[..., None], 3, axis=2)


def _plain(name: str, weights: dict[str, Tensor], device: torch.device) -> OnlineEngine:
    """The yardstick: nothing folded, channels first, whole frames as floats, one proposal at a time."""
    net, settings = build_network(name), resolve(name, STEADY)
    net.load_state_dict(weights)
    net.eval().requires_grad_(False).to(device)
    replaced: Any = net
    backbone = net.backbone_features
    replaced.backbone_features = lambda images: backbone(images.contiguous())
    kind: Any = AtomEngine if name == "atom" else DimpEngine
    with _plainly():
        engine: Any = kind(net, settings, torch.Generator(), device)
    crops = engine._crops

    def whole(image: NDArray[np.uint8], pos: Vector) -> list[Patch]:
        found: list[Patch] = crops(image.astype(np.float32), pos)
        return found

    engine._crops = whole
    made: OnlineEngine = engine
    return made


@contextmanager
def _plainly() -> Iterator[None]:
    """How the yardstick runs."""
    plain: dict[str, Any] = {"PartsUnderBoxes": _all_parts, "ProposalSlopes": _by_autograd}
    with torch.no_grad(), mock.patch.multiple(refine, **plain):
        yield


def _all_parts(net: IoUNet, modulation: Modulation, features: Features) -> Callable[[Tensor], BoxFeatures]:
    maps = net.modulate(modulation, net.test_features(features))
    return lambda boxes: maps


def _by_autograd(net: IoUNet) -> Callable[[BoxFeatures, Tensor], tuple[Tensor, Tensor]]:
    @torch.enable_grad()
    def slopes(maps: BoxFeatures, boxes: Tensor) -> tuple[Tensor, Tensor]:
        places = boxes.clone().requires_grad_()
        scores = torch.cat([net.score(maps, box[:, None]) for box in places.unbind(1)], dim=1)
        return scores.detach(), torch.autograd.grad(scores.sum(), places)[0]

    return slopes


def _rounds(engine: OnlineEngine, boxes: list[Box], mode: Callable[[], Any]) -> Callable[[], int]:
    """A round of frames at a time, after a first frame that is not timed."""
    shown = frames()
    engine._generator.manual_seed(0)
    with mode():
        engine.start(next(shown), (260, 200, 72, 56))

    def work() -> int:
        with mode():
            boxes.extend(engine.update(next(shown)).box for _ in range(FRAMES))
        return FRAMES

    return work


def _timed(engine: OnlineEngine, device: torch.device) -> dict[str, float]:
    """Let a tracker add up the seconds of its parts, in the table that is returned; ``rest`` is scores and state."""
    spent: dict[str, float] = dict.fromkeys((*PARTS.values(), "rest"), 0.0)

    def wrap(owner: Any, method: str, part: str) -> None:
        call = getattr(owner, method)

        def timed(*arguments: Any) -> Any:
            begin = now(device)
            result = call(*arguments)
            seconds = now(device) - begin
            spent[part] += seconds
            if part != "rest":
                spent["rest"] -= seconds
            return result

        setattr(owner, method, timed)

    for method, part in PARTS.items():
        wrap(engine._refiner if part == "refinement" else engine, method, part)
    wrap(engine, "update", "rest")
    return spent


if __name__ == "__main__":
    main()
