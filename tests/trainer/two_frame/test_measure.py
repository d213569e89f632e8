"""Figures: those of the held-out test's own code, whatever else is measured beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trainer.base_trackers import BASE_TRACKERS
from trainer.data.feeds import Feeding
from trainer.data.training_data import open_training_data
from trainer.features import FrozenBackbone
from trainer.measure import HeldOutTest
from trainer.measure.answers import KEPT, MIDDLE, Answer, Answers, Batch, of_points, overlaps
from trainer.measure.held_out_test import TIR
from trainer.measure.held_out_windows import HeldOutWindows
from trainer.net import build_network
from trainer.recipes.geometry import geometry_of
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import make_settings
from trainer.trackers.model import Model
from trainer.two_frame import run
from trainer.two_frame.footage import read_shots
from trainer.two_frame.measure import batches, means_of, measure
from trainer.two_frame.models import Entrant
from trainer.two_frame.sequences import find_windows

from ...conftest import lasting
from ..train_world import small_windows, tracked, write_world
from .world import WINDOW, config, found, values, write_run, write_sequences

CPU = torch.device("cpu")
LARGE = {"dimp50", "superdimp"}
NAMES = [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in BASE_TRACKERS]


@pytest.fixture(scope="module")
def sequences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sequences(tmp_path_factory.mktemp("sequences"), "ant", "bee")


def entrant(tracker: str, seed: int = 0) -> Entrant:
    torch.manual_seed(seed)
    net = build_network(tracker).eval().requires_grad_(False)
    return Entrant(None, Model(None, tracker, None, (), None), net, FrozenBackbone(net, net.trunk.state_dict(), None))


@pytest.mark.parametrize("tracker", NAMES)
def test_figures_are_those_of_the_held_out_test_on_the_same_windows(
    tracker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_windows(monkeypatch)
    settings = make_settings({"recipe": "b1", "tracker": tracker, "held_out": 0.4})
    data = open_training_data(settings, resolve_row(settings), [write_world(tmp_path, tracked(sequences=6, frames=5))])
    test, own = HeldOutTest(data, 4, CPU), entrant(tracker)
    expected, _ = test.measure(own.net, own.backbone, [TIR], "")
    fed = Feeding(("tir",), ("tir",))
    kind: Answers = data.spec.family.part("answers")(settings, data.spec)
    windows = HeldOutWindows(data, test._instants, fed, samples=4, seed=test._seed, noise=kind.starts)
    samples = [windows[number] for number in range(4)]
    wanted = {"reference_box", "test_box", "kept_box", "displaced_box", "noise"}
    named = [
        {"reference": each["reference_tir"], "test": each["test_tir"]} | {name: each[name] for name in wanted}
        for each in samples
    ]
    (figures,) = measure(named, [own], kind, CPU)
    sequence = np.array([each["sequence"] for each in samples])
    for answer, told in figures.items():
        for name, each in told.items():
            means = [each[sequence == place].mean() for place in np.unique(sequence)]
            np.testing.assert_allclose(means, expected[answer][TIR][name], atol=1e-6)
    student = set(figures["student"])
    assert student == set(expected["student"][TIR]) - {"iou_error"}


class Oracle(Answers):
    """Knows the truth, or answers as one of those that need no network."""

    def __init__(self, box: str, tracker: str = "dimp18") -> None:
        super().__init__(make_settings({"recipe": "a1", "tracker": tracker}), geometry_of(tracker, WINDOW))
        self.box = box

    def answer(self, net: Any, reference: Any, test: Any, batch: Batch) -> Answer:
        box, truth = batch[self.box], batch["test_box"]
        points = of_points(box[:, :2] + box[:, 2:] / 2, truth)
        return Answer({"iou_from_peak": overlaps(box, truth)} | points, {"iou_from_peak": box})

    def vectors(self, net: Any, reference: Any, batch: Batch) -> list[torch.Tensor]:
        return []


def oracle(sequences: Path, box: str) -> dict[str, dict[str, float]]:
    kind = Oracle(box)
    windows = find_windows(config(sequences, sequences, sequences), [], kind.spec, 0)[0][0]
    shots = read_shots(windows.footage, [frame for pair in windows.draws for frame in pair])
    samples = [windows.cut(number, shots) for number in range(windows.count)]
    return means_of([each[0] for each in [measure(samples, [entrant("dimp18")], kind, CPU)]])


def test_who_knows_the_truth_finds_it_and_who_keeps_the_reference_is_the_trivial_answer(sequences: Path) -> None:
    means = oracle(sequences, "test_box")
    assert means["student"] == pytest.approx({"iou_from_peak": 1, "hit": 1, "peak_error": 0}, abs=1e-5)
    assert means[MIDDLE]["peak_error"] > 5
    means = oracle(sequences, "kept_box")
    assert means["student"] == pytest.approx(means[KEPT])


def test_batches_hold_every_window_once() -> None:
    assert [list(each) for each in batches(19)] == [list(range(8)), list(range(8, 16)), [16, 17, 18]]
    parts = [{"student": {"hit": np.array([1.0, 1.0])}}, {"student": {"hit": np.array([0.0])}}]
    assert means_of(parts) == {"student": {"hit": pytest.approx(2 / 3)}}


@pytest.mark.slow
def test_several_at_once_find_what_each_finds_alone_and_one_backbone_runs_once(
    sequences: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {"a": write_run(tmp_path / "a"), "b": write_run(tmp_path / "b", heads=5)}
    runs |= {"c": write_run(tmp_path / "c", seed=7)}
    calls: list[int] = []
    compute = FrozenBackbone._compute

    def counted(self: FrozenBackbone, windows: torch.Tensor, *rest: Any) -> None:
        calls.append(id(self))
        compute(self, windows, *rest)

    monkeypatch.setattr(FrozenBackbone, "_compute", counted)
    together = config(runs["a"], sequences, tmp_path / "all", checkpoints=tuple(runs.items()), window=WINDOW)
    run(together)
    # Two sequences of one batch each, two windows; a and b have one backbone.
    assert (len(calls), len(set(calls))) == (2 * 2 * 2, 2)
    told = {name: found(tmp_path / "all" / f"{name}.json") for name in runs}
    assert len({str(values(each, "student", "iou_from_displaced")) for each in told.values()}) == 3
    assert len({each["key"] for each in told.values()}) == 1
    for name, checkpoint in runs.items():
        run(config(checkpoint, sequences, tmp_path / f"{name}.json", window=WINDOW))
        assert lasting(tmp_path / f"{name}.json") == lasting(tmp_path / "all" / f"{name}.json")


@pytest.mark.slow
def test_features_that_are_kept_change_nothing(sequences: Path, tmp_path: Path) -> None:
    checkpoint, cache = write_run(tmp_path / "run"), tmp_path / "features"
    written = []
    for number, changes in enumerate(({}, {"feature_cache": cache}, {"feature_cache": cache})):
        out = tmp_path / f"{number}.json"
        run(config(checkpoint, sequences, out, window=WINDOW, **changes))
        written.append(lasting(out))
    assert len(set(written)) == 1
    assert len([path for path in cache.rglob("*") if path.is_file()]) == 2 * 4
