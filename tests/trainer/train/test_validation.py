"""What of a run is measured on held-out sequences: how much, how often, and what is taken from a parent."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import default_collate

from trainer.checkpoints.run_folder import METRICS, REPORT, RUN, VALIDATION, RunFolder
from trainer.data.feeds import Feed, assemble
from trainer.distillation.objective import Objective
from trainer.measure import HeldOutTest, passes_of
from trainer.measure.proposal_answers import ProposalAnswers
from trainer.train import loop, record
from trainer.train.record import WINDOWS
from trainer.train.session import Training, prepare
from trainer.train.validation import Validation

from ..train_world import settings, small_windows, tracked, write_world

pytestmark = pytest.mark.usefixtures("small_training")
OPTIONS: dict[str, Any] = {"epochs": 1, "held_out": 0.3, "held_out_samples": 4, "rates": {"tcl": 1e-4}}


@pytest.fixture(scope="module")
def tracked_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"), tracked(sequences=6, frames=4))


@pytest.fixture(scope="module")
def parent(tracked_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One epoch of c1."""
    out = tmp_path_factory.mktemp("runs") / "parent"
    with pytest.MonkeyPatch.context() as patch:
        small_windows(patch)
        loop.train_row(settings(tracked_world, out, **OPTIONS))
    return out


def told(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / VALIDATION).read_text())
    return content


def test_what_is_measured_is_told_with_its_test(parent: Path) -> None:
    content = told(parent)
    test, figures = content["test"], content["figures"]
    assert (test["kind"], test["windows"]) == ("two frames", 4)
    assert set(figures) == {"as trained", "TIR alone", "RGB alone", "RGB and TIR"}
    alone = figures["TIR alone"]
    assert set(alone) == {"iou_from_peak", "hit", "peak_error", "iou_from_displaced", "iou_error"}
    assert {"start", "student", "the middle", "the reference's box kept", "the borders' box"} <= set(
        alone["iou_from_peak"]
    )
    for answer, scores in content["scores"].items():
        for way, named in scores.items():
            for name, values in named.items():
                assert len(values) == len(test["sequences"])
                assert figures[way][name][answer]["value"] == pytest.approx(sum(values) / len(values))
                assert figures[way][name][answer]["low"] is None
    # Two instants: who keeps the reference's box does not hold the truth.
    assert alone["iou_from_peak"]["the reference's box kept"]["value"] < 0.9
    assert content["scores"]["start"]["TIR alone"] != content["scores"]["student"]["TIR alone"]
    assert content["scores"]["the middle"]["TIR alone"]["hit"] == content["scores"]["the middle"]["RGB alone"]["hit"]
    page = (parent / REPORT).read_text()
    head = "start|student|change|the middle|the reference&#39;s box kept|the borders&#39; box"
    assert re.search(r"[^<]*".join(["fed", *head.split("|")]).replace("[^<]*", r"(?:<[^>]*>|\s)*"), page)
    for words in ("Two frames:", "the middle", "reference&#39;s box kept", "intervals: those need 10 sequences"):
        assert words in page


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_losses_have_intervals_over_sequences_where_enough_are_held_out(
    tracked_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.train.validation.FEWEST", 2)
    monkeypatch.setattr("trainer.measure.summary.FEWEST", 2)
    options = OPTIONS | {"held_out": 0.5, "held_out_samples": 8, "recipe": "d3", "mix_pairs": "once"}
    content = told(loop.train_row(settings(tracked_world, tmp_path / "run", **options)).model.parent)
    before, after = content["before"], content["after"]
    assert before["losses_by_sequence"].keys() == before["losses"].keys() == after["loss_figures"].keys()
    for name, found in after["loss_figures"].items():
        for answer, each in (("start", before), ("student", after)):
            values = each["losses_by_sequence"][name]
            assert len(values) >= 2
            assert found[answer]["value"] == pytest.approx(sum(values) / len(values))
            assert found[answer]["low"] <= found[answer]["value"] <= found[answer]["high"]
        assert found["student - start"]["value"] == pytest.approx(found["student"]["value"] - found["start"]["value"])
    assert len(after["shown"]) == len(before["shown"]) == 4
    assert "95 % interval (bootstrap, paired in the change)" in (tmp_path / "run" / REPORT).read_text()


def test_a_run_looks_at_its_windows_as_often_as_it_says(
    tracked_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intervals of the losses and the windows that are shown need no pass of their own."""
    monkeypatch.setattr("trainer.train.validation.FEWEST", 2)
    seen = {"losses": 0, "test": 0}
    forward, answer = Objective.forward, ProposalAnswers.answer

    def measured(objective: Objective, feed: Feed) -> Any:
        seen["losses"] += 0 if torch.is_grad_enabled() else len(feed.test)
        return forward(objective, feed)

    def answered(kind: ProposalAnswers, net: Any, reference: Any, test: Any, batch: Any) -> Any:
        seen["test"] += len(batch["test_box"])
        return answer(kind, net, reference, test, batch)

    monkeypatch.setattr(Objective, "forward", measured)
    monkeypatch.setattr(ProposalAnswers, "answer", answered)
    run = loop.train_row(settings(tracked_world, tmp_path / "run", **OPTIONS | {"epochs": 2})).model.parent
    windows, content = told(run)["test"]["windows"], told(run)
    assert seen == {"losses": windows * (passes_of(2) - 6), "test": windows * 6}
    assert content["after"]["loss_figures"]
    assert len(content["before"]["shown"]) == len(content["after"]["shown"]) == 4


def test_losses_of_windows_have_the_mean_of_their_batch(tracked_world: Path, tmp_path: Path) -> None:
    asked = settings(tracked_world, tmp_path / "run", **OPTIONS | {"recipe": "d3"})
    training = Training(prepare(asked))
    feeding, data = training.data.feeding, training.data
    found = Validation(training, RunFolder(asked.out), 5).losses("the start").means
    windows = data.validation_windows(feeding, 5)
    batch = assemble(default_collate([windows[number] for number in range(5)]), feeding, training.device)
    with torch.no_grad():
        assert found == pytest.approx(training.objective(batch)[1], rel=1e-5)


@pytest.mark.slow
def test_without_tracks_the_test_says_that_it_is_of_one_frame(world: Path, tmp_path: Path) -> None:
    run = loop.train_row(settings(world, tmp_path / "run", **OPTIONS))
    content = told(run.model.parent)
    assert content["test"]["kind"] == "same frame"
    assert content["figures"]["TIR alone"]["iou_from_peak"]["the reference's box kept"]["value"] == pytest.approx(1)
    assert "Same frame:" in run.report.read_text()


class Measured:
    """The ways of feeding in which networks are measured, in order."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ways: list[list[str]] = []
        measure = HeldOutTest.measure

        def noted(test: HeldOutTest, net: Any, backbone: Any, ways: list[str], title: str) -> Any:
            self.ways.append(list(ways))
            return measure(test, net, backbone, ways, title)

        patch.setattr(HeldOutTest, "measure", noted)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_parent_s_figures_are_not_measured_again(
    tracked_world: Path, parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the same weights, windows and feeding; the bytes are those of a run that measures."""
    measured = Measured(monkeypatch)
    options = OPTIONS | {"recipe": "b1", "rates": {}}
    child = loop.train_row(settings(tracked_world, tmp_path / "child", init=(parent,), **options)).model.parent
    every = ["as trained", "TIR alone", "RGB alone", "RGB and TIR"]
    assert measured.ways == [[], every]
    alone = shutil.copy(parent / "model.safetensors", tmp_path / "alone.safetensors")
    again = loop.train_row(settings(tracked_world, tmp_path / "again", init=(Path(alone),), **options)).model.parent
    assert measured.ways[2:] == [every, every]
    for name in (VALIDATION, METRICS, "state.pt"):
        assert (child / name).read_bytes() == (again / name).read_bytes()


SLOW = [pytest.param(change, marks=pytest.mark.slow) for change in ("weights", "nothing", "damaged")]


@pytest.mark.parametrize("change", ["key", "shown", *SLOW])
def test_other_windows_or_weights_are_measured(
    tracked_world: Path,
    parent: Path,
    tmp_path: Path,
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = Measured(monkeypatch)
    run, content = shutil.copytree(parent, tmp_path / "parent"), told(parent)
    if change == "key":
        content["test"]["key"] = "0"
    elif change == "weights":
        content["after"]["weights"] = "0"
    elif change == "shown":
        del content["after"]["shown"]
    (run / VALIDATION).write_text(
        "{}" if change == "nothing" else json.dumps(content)[: -9 if change == "damaged" else None]
    )
    monkeypatch.setattr(loop, "step", _stop)
    with pytest.raises(KeyboardInterrupt):
        loop.train_row(settings(tracked_world, tmp_path / "child", init=(run,), **OPTIONS))
    assert [len(ways) for ways in measured.ways] == [4]


def _stop(*_: object) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("samples", "said"), [(3, True), (4, False)])
def test_a_run_says_before_it_measures_longer_than_it_trains(
    world: Path,
    tmp_path: Path,
    samples: int,
    said: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(loop, "step", _stop)
    asked = settings(world, tmp_path / "run", epochs=3, held_out=0.3, held_out_samples=1, samples_per_epoch=samples)
    with caplog.at_level("INFO"), pytest.raises(KeyboardInterrupt):
        loop.train_row(asked)
    told = f"up to 10 passes over 1 held-out windows, of which a short run has its least, and {3 * samples} draws"
    assert (told in caplog.text) is said


@pytest.mark.slow
def test_a_run_of_0_1_is_measured_to_its_end_on_as_many_windows_as_it_began_with(
    tracked_world: Path, parent: Path, tmp_path: Path
) -> None:
    """It told no number, no test and no scores: its losses go on, and the student has no start beside it."""
    run = shutil.copytree(parent, tmp_path / "run")
    described, content = json.loads((run / RUN).read_text()), told(run)
    assert described.pop(WINDOWS) == 4
    RunFolder(run).write_json(RUN, described)
    RunFolder(run).write_json(VALIDATION, {"before": {"losses": content["before"]["losses"], "quality": {}}})
    loop.train_row(settings(tracked_world, run, **OPTIONS | {"epochs": 2}))
    assert json.loads((run / RUN).read_text())[WINDOWS] == 4
    assert "start" not in told(run)["figures"]["TIR alone"]["hit"]
    assert "student" in told(run)["figures"]["TIR alone"]["hit"]


def test_a_run_that_goes_on_keeps_to_the_windows_that_it_began_with(
    tracked_world: Path, parent: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(parent, tmp_path / "run")
    described = json.loads((run / RUN).read_text())
    RunFolder(run).write_json(RUN, described | {WINDOWS: 3})
    loop.train_row(settings(tracked_world, run, **OPTIONS | {"epochs": 2}))
    assert json.loads((run / RUN).read_text())[WINDOWS] == told(run)["test"]["windows"] == 3


@pytest.mark.slow
def test_tensorboard_shows_the_test_of_the_start_and_of_the_student_beside_what_needs_no_network(
    tracked_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: dict[str, list[tuple[float, int]]] = {}

    class Writer:
        def __init__(self, *_: object) -> None:
            pass

        def add_scalar(self, name: str, value: float, step: int) -> None:
            shown.setdefault(name, []).append((float(value), step))

        def close(self) -> None:
            shown["closed"] = []

    monkeypatch.setattr(record, "_tensorboard_writer", Writer)
    logged: dict[str, list[tuple[float, int]]] = {}

    def log(values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            logged.setdefault(name, []).append((value, step))

    run = loop.train_row(settings(tracked_world, tmp_path / "run", **OPTIONS), log).model.parent
    assert logged == {name: values for name, values in shown.items() if name != "closed"}
    hits = told(run)["figures"]["TIR alone"]["hit"]
    expected = [(pytest.approx(hits[answer]["value"]), step) for answer, step in (("start", 0), ("student", 0))]
    assert shown["held_out_test/TIR alone/hit"] == expected
    assert shown["held_out_test/TIR alone/hit/the middle"] == [(pytest.approx(hits["the middle"]["value"]), 0)] * 2
    assert list(shown)[-1] == "closed"
