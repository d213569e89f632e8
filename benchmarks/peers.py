"""What people would use instead, really run: pytracking's training step and tracker, in turn with ours.

``python -m benchmarks.peers PYTRACKING`` with a checkout of https://github.com/visionml/pytracking (GPL-3.0), which is
put on the path while this runs: nothing of it is part of this project, nor changed. Its PrRoIPool is a CUDA extension,
so ours takes its place in memory, in both. Equal weights, windows, modules and losses; each way runs in a process of
its own, in turn, with the threads that torch takes by itself (``OMP_NUM_THREADS`` sets another number).

``step``: SuperDiMP, 5 pairs at 352 px, 128 proposals, ResNet-50 frozen, all heads trained; losses of both are told.
``track``: a frame of DiMP-50 at 288 px, every frame refined; boxes of both are compared.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
import types
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from unittest.mock import MagicMock

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.measure import report
from benchmarks.track import FRAMES, STEADY, frames, random_weights
from benchmarks.train_step import feed
from pipeline.boxes import iou
from trainer.distillation import branches
from trainer.distillation.objective import Objective
from trainer.features import FrozenBackbone
from trainer.net import DimpNet, build_network
from trainer.net.base import normalise
from trainer.net.precision import Precision
from trainer.net.prroi import pool_boxes
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import TrainSettings
from trainer.trackers import Tracker
from trainer.train.master_adam import MasterAdam

STEPS, ROUNDS = 4, 3
ROW = TrainSettings(recipe="d3", tracker="superdimp", mix_pairs="once")
"""Trains all heads, and feeds each branch one window a pair, as the peer does."""
WAYS = ("peer", "float32", "bf16")
NETWORKS = "ltr.models.tracking.dimpnet"
SHAPE: dict[str, Any] = {
    "backbone_pretrained": False,
    "filter_size": 4,
    "optim_iter": 5,
    "clf_feat_blocks": 0,
    "final_conv": True,
    "out_feature_dim": 512,
    "optim_init_reg": 0.1,
    "num_dist_bins": 100,
    "bin_displacement": 0.1,
    "mask_init_factor": 3.0,
    "target_mask_act": "sigmoid",
}
"""Of the peer's networks of 50 layers."""
START = (260, 200, 72, 56)
UNUSED = (
    *("jpeg4py", "lvis", "pycocotools", "pycocotools.coco", "tikzplotlib", "timm", "timm.models", "timm.models.layers"),
    *("visdom", "visdom.server"),
)
"""What it imports beside what is measured."""
Found = dict[str, Any]


class Pool(nn.Module):
    """The peer's PrRoIPool2D, by ours: as many rois of each image, one image after the other, as it makes them."""

    def __init__(self, height: int, width: int, scale: float) -> None:
        super().__init__()
        self.given = (height, width), scale

    def forward(self, features: Tensor, rois: Tensor) -> Tensor:
        """Pool (R, 5) rois; a copy of the map for each of them would be slower than the peer's own."""
        images, number = rois[:, 0].detach(), len(features)
        if not torch.equal(images, torch.arange(number).to(images).repeat_interleave(len(rois) // number)):
            raise SystemExit("error: rois in another order than the benchmark knows: try an older checkout")
        corners = rois[:, 1:].reshape(number, -1, 4)
        boxes = torch.cat([corners[..., :2], corners[..., 2:] - corners[..., :2]], dim=-1)
        return pool_boxes(features, boxes, *self.given).flatten(0, 1)


def import_peer(folder: Path) -> None:
    """Put the peer on the path.

    Raises:
        SystemExit: the folder holds none.
    """
    if not (folder / "ltr" / "actors" / "tracking.py").is_file():
        raise SystemExit(
            f"error: {folder}: no checkout of pytracking: git clone https://github.com/visionml/pytracking"
        )
    sys.path.append(str(folder))
    pool: Any = types.ModuleType("prroi_pool")
    pool.PrRoIPool2D = Pool
    inner = "ltr.external.PreciseRoIPooling"
    sys.modules |= {name: types.ModuleType(name) for name in ("ltr.external", inner, f"{inner}.pytorch")}
    sys.modules[f"{inner}.pytorch.prroi_pool"] = pool
    # Readers of data sets and windows, which it imports wherever it is used.
    lacking = [name for name in UNUSED if find_spec(name.partition(".")[0]) is None]
    sys.modules.update({name: MagicMock() for name in lacking})
    # Addresses of weights, which newer releases do not have.
    resnet: Any = import_module("torchvision.models.resnet")
    resnet.model_urls = getattr(resnet, "model_urls", {})


def step_of_the_peer() -> Callable[[], Found]:
    """Its actor, network, losses and optimiser."""
    actors, hinge, kl, nets = map(
        import_module, ("ltr.actors.tracking", "ltr.models.loss", "ltr.models.loss.kl_regression", NETWORKS)
    )
    net = nets.dimpnet50(init_gauss_sigma=0.25 / 6 * 22, **SHAPE)
    torch.manual_seed(0)
    net.load_state_dict(build_network("superdimp").state_dict())
    net.eval()
    net.feature_extractor.requires_grad_(False)
    trained = [each for each in net.parameters() if each.requires_grad]
    losses = {"bb_ce": kl.KLRegression(), "test_clf": hinge.LBHinge(threshold=0.05)}
    weights = {"bb_ce": 0.01, "test_clf": 100, "test_init_clf": 100, "test_iter_clf": 400}
    actor, optimizer, given = actors.KLDiMPActor(net, losses, weights), torch.optim.Adam(trained, lr=1e-7), feed()
    reference, test = (normalise(windows).contiguous()[None] for windows in (given.reference, given.test))
    density, truth = cast("tuple[Tensor, Tensor]", given.density)
    data = {
        "train_images": reference, "test_images": test, "train_anno": given.reference_box[None],
        "test_anno": given.test_box[None], "test_label": given.label[None], "test_proposals": given.proposals[None],
        "proposal_density": density[None], "gt_density": truth[None],
    }  # fmt: skip

    def step() -> Found:
        loss, stats = actor(data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        classified = sum(stats[f"Loss/{name}"] for name in ("target_clf", "test_init_clf", "test_iter_clf"))
        return {"bbe": weights["bb_ce"] * stats["Loss/bb_ce"], "tcl": classified}

    return step


def step_of_ours(precision: Precision) -> Callable[[], Found]:
    """Our objective and optimiser on the same windows."""
    torch.manual_seed(0)
    net = cast("DimpNet", build_network("superdimp")).eval()
    net.to(memory_format=torch.channels_last)
    row, given = resolve_row(ROW), feed()
    names = branches.trained_names(net, row, ROW)
    optimizer = MasterAdam(net, names, dict.fromkeys(names, 1e-7))
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    backbone = FrozenBackbone(net, net.feature_extractor.state_dict(), None, precision=kind)
    objective = Objective(net, backbone, row, ROW)

    def step() -> Found:
        loss, parts = objective(given)
        optimizer.step(loss)
        return dict(parts)

    return step


def track_of_the_peer() -> tuple[Callable[[Any], None], Callable[[Any], Any]]:
    """Its tracker, with its own parameters for DiMP-50 and ours of the benchmark."""
    nets, wrappers, chosen, trackers = map(
        import_module,
        (NETWORKS, "pytracking.features.net_wrappers", "pytracking.parameter.dimp.dimp50", "pytracking.tracker.dimp"),
    )
    net = nets.dimpnet50(init_gauss_sigma=0.9, **SHAPE)
    net.load_state_dict(random_weights("dimp50"))
    params = chosen.parameters()
    params.use_gpu, params.device = False, "cpu"
    for name, value in STEADY.items():
        setattr(params, name, value)
    params.net = wrappers.NetWithBackbone(net_path="", use_gpu=False)
    params.net.net, params.net.initialize = net.eval(), lambda: None
    tracker = trackers.DiMP(params)

    def start(frame: Any) -> None:
        torch.manual_seed(0)
        tracker.initialize(frame, {"init_bbox": list(START)})

    return start, lambda frame: tracker.track(frame)["target_bbox"]


def track_of_ours(precision: Precision) -> tuple[Callable[[Any], None], Callable[[Any], Any]]:
    """Our tracker."""
    tracker = Tracker("dimp50", random_weights("dimp50"), "cpu", STEADY, precision=precision)
    return lambda frame: tracker.start(frame, START), lambda frame: tracker.update(frame)[0]


def work(way: str, what: str) -> Found:
    """Do one thing one way: its seconds, and what came of it."""
    seconds: list[float] = []
    if what == "step":
        step = step_of_the_peer() if way == "peer" else step_of_ours(cast("Precision", way))
        losses: list[Found] = []
        for _ in range(STEPS):
            begun = time.perf_counter()
            losses.append(step())
            seconds.append(time.perf_counter() - begun)
        return {"seconds": statistics.median(seconds[1:]), "found": losses[0]}
    start, update = track_of_the_peer() if way == "peer" else track_of_ours(cast("Precision", way))
    shown, boxes = frames(), []
    start(next(shown))
    for _ in range(FRAMES):
        frame = next(shown)
        begun = time.perf_counter()
        boxes.append([float(value) for value in update(frame)])
        seconds.append(time.perf_counter() - begun)
    return {"seconds": statistics.median(seconds), "found": boxes}


def commit(folder: Path) -> str:
    """Of the checkout; empty where it is none of git."""
    git = shutil.which("git") or "git"
    told = subprocess.run([git, "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip()


def main() -> None:
    """Print a line for each of the two works."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pytracking", type=Path, help="a checkout")
    parser.add_argument("--only", choices=("step", "track"))
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    import_peer(given.pytracking)
    if given.way:
        print(json.dumps(work(given.way, given.only)))
        return
    for what in [given.only] if given.only else ["step", "track"]:
        found: dict[str, list[Found]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way, runs in found.items():
                command = [
                    sys.executable,
                    "-m",
                    "benchmarks.peers",
                    str(given.pytracking),
                    "--only",
                    what,
                    "--way",
                    way,
                ]
                told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                runs.append(json.loads(told.splitlines()[-1]))
        seconds = {way: statistics.median(run["seconds"] for run in runs) for way, runs in found.items()}
        first = {way: runs[0]["found"] for way, runs in found.items()}
        report(
            f"peers, {what}",
            peer="pytracking (GPL-3.0)",
            commit=commit(given.pytracking),
            seconds={way: round(value, 4) for way, value in seconds.items()},
            ratio=seconds["peer"] / seconds["float32"],
            ratio_bf16=seconds["peer"] / seconds["bf16"],
            **(compared(first) if what == "track" else {"losses": first}),
        )


def compared(boxes: dict[str, Any]) -> Found:
    """How far the boxes are apart."""
    arrays = {way: np.array(each) for way, each in boxes.items()}
    exact = arrays["float32"]
    return {
        "largest_difference_px": float(np.abs(arrays["peer"] - exact).max()),
        "iou_bf16": float(iou(arrays["bf16"], exact).mean()),
    }


if __name__ == "__main__":
    main()
