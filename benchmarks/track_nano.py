"""NanoTrack by ``cmd-track``'s tracker and by OpenCV's TrackerNano, under the same rules, on one thread.

Both are shown the same frames in memory, in turn; OpenCV runs the network by its dnn module, we by onnxruntime and by
torch. Weights are random, or those that are given: time does not depend on them.

``python -m benchmarks.track_nano [WEIGHTS]``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.measure import in_turn, report
from trainer.checkpoints import load_weights
from trainer.checkpoints.nano_onnx import backbone_graph, head_graph
from trainer.checkpoints.weights import load_into
from trainer.net import build_network
from trainer.net.nano.network import nanotrack_v2
from trainer.trackers import Tracker

FRAMES, ROUNDS = 40, 9
BOX = (260, 200, 72, 56)
Frame = NDArray[np.uint8]
Weights = Mapping[str, torch.Tensor]


def main() -> None:
    """Print one line."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    weights = load_weights(sys.argv[1]) if sys.argv[1:] else build_network("nanotrack_v2").state_dict()
    frames = _frames()
    ours = {
        f"{rules}_{engine}": _ours(weights, frames, rules, engine)
        for rules in ("opencv", "pytorch")
        for engine in ("onnxruntime", "torch")
    }
    with tempfile.TemporaryDirectory() as folder:
        rates = in_turn({"cv2": _theirs(weights, frames, Path(folder)), **ours}, ROUNDS)
    yardstick = rates.pop("cv2")
    report(
        "track_nano",
        frames_per_s_of_cv2=yardstick,
        frames_per_s={name: round(rate, 1) for name, rate in rates.items()},
        ratio={name: round(rate / yardstick, 2) for name, rate in rates.items()},
    )


def _frames() -> list[Frame]:
    """A warm blob that wanders over a cool, noisy scene of 640 x 512: (H, W, 3), grey."""
    rng = np.random.default_rng(0)
    scene = np.kron(rng.integers(30, 110, (32, 40)), np.ones((16, 16))).astype(np.uint8)
    frames = []
    for step in range(FRAMES):
        frame = scene.copy()
        frame[200 + step : 256 + step, 260 + 2 * step : 332 + 2 * step] += np.uint8(130)
        frames.append(np.repeat(frame[..., None], 3, axis=2))
    return frames


def _ours(weights: Weights, frames: list[Frame], rules: str, engine: str) -> Callable[[], int]:
    tracker = Tracker("nanotrack_v2", weights, params={"rules": rules, "engine": engine})
    tracker.start(frames[0], BOX)
    return _through(frames, tracker)


def _theirs(weights: Weights, frames: list[Frame], folder: Path) -> Callable[[], int]:
    net, opencv = nanotrack_v2(), cast("Any", cv2)
    load_into(net.eval(), weights, "the weights")
    params = opencv.TrackerNano_Params()
    for name, graph in (("backbone", backbone_graph(net)), ("neckhead", head_graph(net))):
        (folder / f"{name}.onnx").write_bytes(graph)
        setattr(params, name, str(folder / f"{name}.onnx"))
    tracker: Any = opencv.TrackerNano_create(params)
    tracker.init(frames[0], BOX)
    return _through(frames, tracker)


def _through(frames: list[Frame], tracker: Any) -> Callable[[], int]:
    """What is timed: a tracker that has begun, shown all frames."""

    def work() -> int:
        for frame in frames:
            tracker.update(frame)
        return len(frames)

    return work


if __name__ == "__main__":
    main()
