"""One CMD step (SuperDiMP, 5 pairs, 352 px, 128 proposals, frozen ResNet-50) against the straightforward way.

The straightforward way calls the backbone once for the reference and once for the test images, lets autograd record it
(its parameters ask for gradients that nobody uses), and keeps pictures and weights in NCHW order. Each way runs in a
process of its own, in turn, so that the peak of its memory is its own. ``--profile`` prints where our step's time goes.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import cast

import torch

from benchmarks.measure import report
from trainer.data.feeds import Feed
from trainer.distillation import branches
from trainer.distillation.objective import Objective
from trainer.distillation.responses import Sides
from trainer.features import Backbone, FrozenBackbone
from trainer.net import DimpNet, build_network
from trainer.net.base import normalise
from trainer.recipes.geometry import SearchSpec, geometry_of
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import TrainSettings
from trainer.train.master_adam import MasterAdam

PAIRS, STEPS, ROUNDS = 5, 3, 3
SPEC = cast("SearchSpec", geometry_of("superdimp"))
SETTINGS = TrainSettings(recipe="d2", tracker="superdimp")


def feed() -> Feed:
    """Random pictures with a box in the middle."""
    torch.manual_seed(0)
    images = torch.randint(256, (2, PAIRS, 3, SPEC.size, SPEC.size), dtype=torch.uint8)
    box = torch.tensor([140.0, 140, 60, 70]).repeat(PAIRS, 1)
    proposals = box[:, None] + 10 * torch.randn(PAIRS, SPEC.proposals, 4)
    density = torch.rand(PAIRS, SPEC.proposals) + 0.1
    label = torch.rand(PAIRS, SPEC.scores, SPEC.scores)
    iou = torch.rand(PAIRS, SPEC.proposals)
    return Feed(images[0], images[1], box, label, torch.zeros(PAIRS, 4), box, proposals, iou, (density, density))


class Plain(Objective):
    """The straightforward way to the same loss."""

    def _sides(self, feed: Feed) -> Sides:
        seen = [self.net.backbone_features(normalise(windows).contiguous()) for windows in (feed.reference, feed.test)]
        return Sides(self.reference_side, self.test_side, *seen)


def work(ours: bool, profile: bool) -> None:
    """Take steps one way; print their seconds and the peak of memory as JSON."""
    net = cast("DimpNet", build_network("superdimp")).eval()
    row, batch = resolve_row(SETTINGS), feed()
    names = branches.trained_names(net, row, SETTINGS)
    optimizer = MasterAdam(net, names, dict.fromkeys(names, 1e-7))
    if ours:
        net.to(memory_format=torch.channels_last)
        weights = net.feature_extractor.state_dict()
        objective = Objective(net, FrozenBackbone(net, weights, None), row, SETTINGS)
    else:
        objective = Plain(net, Backbone(net), row, SETTINGS)
        net.feature_extractor.requires_grad_(True)
    seconds = []
    for _ in range(STEPS):
        start = time.perf_counter()
        loss, _ = objective(batch)
        if ours:
            optimizer.step(loss)
        else:
            net.zero_grad()
            loss.backward()
        seconds.append(time.perf_counter() - start)
    if not ours and net.feature_extractor.conv1.weight.grad is None:
        raise SystemExit("the straightforward way records no graph through the backbone: mend benchmarks/train_step.py")
    if profile:
        _profile(objective, optimizer, batch)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": min(seconds), "memory": memory}))


def _profile(objective: Objective, optimizer: MasterAdam, batch: Feed) -> None:
    """Seconds of the parts of one step."""
    start = time.perf_counter()
    objective.features(torch.cat([batch.reference, batch.test]))
    backbone = time.perf_counter() - start
    start = time.perf_counter()
    loss, _ = objective(batch)
    forward = time.perf_counter() - start
    start = time.perf_counter()
    optimizer.step(loss)
    backward = time.perf_counter() - start
    parts = {"backbone": backbone, "heads, forward": forward - backbone, "backward and step": backward}
    print(json.dumps({name: round(value, 3) for name, value in parts.items()}), file=sys.stderr)


def main() -> None:
    """Print one line: seconds a step both ways, their ratio, and the peaks of memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--way", choices=("ours", "plain"))
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    if given.way:
        work(given.way == "ours", given.profile)
        return
    found: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
    for _ in range(ROUNDS):
        for way, runs in found.items():
            command = [sys.executable, "-m", "benchmarks.train_step", "--way", way]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            runs.append(json.loads(told.splitlines()[-1]))
    seconds = {way: statistics.median(run["seconds"] for run in runs) for way, runs in found.items()}
    memory = {way: max(run["memory"] for run in runs) / 2**30 for way, runs in found.items()}
    report(
        "train_step",
        tracker="superdimp",
        pairs=PAIRS,
        seconds=seconds["ours"],
        plain_seconds=seconds["plain"],
        ratio=seconds["plain"] / seconds["ours"],
        memory_gib=memory["ours"],
        plain_memory_gib=memory["plain"],
        threads=torch.get_num_threads(),
    )


if __name__ == "__main__":
    main()
