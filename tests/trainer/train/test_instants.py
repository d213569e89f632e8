"""Runs on two instants and on several images: what they are trained on, what they record, what they refuse."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import UsageError
from trainer.checkpoints.run_folder import RUN, RunFolder
from trainer.data.feeds import Feed, assemble
from trainer.data.loading import EpochSampler
from trainer.net import DimpNet
from trainer.net.base import normalise
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import TrainConfig, make_settings
from trainer.train import loop
from trainer.train.session import Training, prepare
from trainer.train.table.state import refuse_other_settings

from ..train_world import same_bits, settings, shard, write_world

pytestmark = pytest.mark.usefixtures("small_training")
FAST: dict[str, Any] = {"recipe": "pretrain", "batch_size": 8, "samples_per_epoch": 8, "epochs": 1}


def world(folder: Path, track: int = 7) -> Path:
    content = shard(sequences=6, frames=4, method="detection")
    content.patches[:-1] = [dataclasses.replace(patch, track=track) for patch in content.patches[:-1]]
    return write_world(folder, content)


def identity(shards: Path, out: Path, **changes: Any) -> dict[str, Any]:
    return prepare(settings(shards, out, **changes)).identity


@pytest.mark.parametrize(("tracker", "images"), [("dimp18", 3), ("dimp50", 3), ("superdimp", 3), ("atom", 1)])
def test_pretrain_takes_the_published_number_of_images_and_two_instants(tracker: str, images: int) -> None:
    row = resolve_row(make_settings({"recipe": "pretrain", "tracker": tracker}))
    assert (row.images, row.instants) == (images, "two")
    assert resolve_row(make_settings({"recipe": "pretrain", "tracker": tracker, "images": 2})).images == 2
    recipe = "atom_b1" if tracker == "atom" else "d3"
    row = resolve_row(make_settings({"recipe": recipe, "tracker": tracker}))
    assert (row.images, row.instants) == (1, "one")
    assert {"dimp18": 30, "dimp50": 30, "superdimp": 200, "atom": 50}[tracker] == row.base.gap


def test_several_images_are_for_pretrain_alone() -> None:
    with pytest.raises(UsageError, match="--set images has no effect here, it is for pretrain"):
        resolve_row(make_settings({"recipe": "d3", "images": 3}))


@pytest.mark.slow
def test_the_loss_of_several_images_is_that_of_dimp_s_own_pass(tmp_path: Path) -> None:
    """The filter comes of all reference images, the first of them modulates, and all test images count."""
    torch.manual_seed(0)
    run = Training(prepare(settings(world(tmp_path / "s"), tmp_path / "run", **FAST, images=3)))
    windows = run.data.training_windows()
    feed = assemble(torch.utils.data.default_collate([windows[n] for n in range(8)]), run.data.feeding, run.device)
    net = run.net.eval()
    assert isinstance(net, DimpNet)
    with torch.no_grad():
        windows = normalise(feed.reference), normalise(feed.test)
        scores, overlap = net(*map(feed.by_image, (*windows, feed.reference_box, feed.proposals)))
        _, parts = run.objective(feed)
    assert scores.shape[1:3] == (3, 8)
    label = feed.by_image(feed.label)
    hinged = torch.where(label < 0.05, scores.relu(), scores - label).square().flatten(1).mean(1)
    expected = 100 * (hinged[0] + hinged[-1]) + 400 * hinged[1:-1].mean()
    assert parts["tcl"] == pytest.approx(float(expected), rel=1e-4)
    wanted = 2 * feed.by_image(feed.proposal_iou) - 1
    assert parts["bbe"] == pytest.approx(float((overlap - wanted).square().mean()), rel=1e-4)


@pytest.mark.slow
def test_a_run_says_of_how_many_images_and_instants_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        loop.train_row(settings(world(tmp_path / "s"), tmp_path / "a", **FAST, images=2, held_out_samples=2))
    run = json.loads((tmp_path / "a" / RUN).read_text())
    told = run["instants"]
    assert run["images"] == 2
    assert told["a_draw"] == "two"
    assert told["patches"] == told["of_objects"] + told["repeated"] == run["pairs"]["training"]
    assert f"{told['of_objects']} of {told['patches']} patches are of {told['objects']} objects" in caplog.text
    assert (run["identity"]["images"], run["identity"]["instants"]) == (2, "two")
    for workers in (0, 2):
        again = tmp_path / f"again{workers}"
        loop.train_row(settings(tmp_path / "s", again, **FAST, images=2, held_out_samples=2, loader_workers=workers))
        assert same_bits(tmp_path / "a", again)


def test_shards_that_know_no_objects_are_trained_on_at_one_instant(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blind = world(tmp_path / "s", track=-1)
    with caplog.at_level(logging.INFO):
        assert prepare(settings(blind, tmp_path / "a", **FAST)).data.tracks is None
    assert "one instant a draw: the shards know no object at two instants (patches/track)" in caplog.text
    with pytest.raises(UsageError, match="setting instants=two: the shards know no object at two instants"):
        prepare(settings(blind, tmp_path / "a", **FAST, instants="two"))


def test_a_row_of_the_table_takes_two_instants_when_told(tmp_path: Path) -> None:
    shards = world(tmp_path / "s")
    assert prepare(settings(shards, tmp_path / "a", recipe="d3")).data.tracks is None
    training = Training(prepare(settings(shards, tmp_path / "b", recipe="d3", instants="two")))
    with loop.loader_of(training, EpochSampler(2)) as loader:
        feeds: list[Feed] = [feed for feed, _ in training.batches(loader)]
    _, parts = training.objective(feeds[0])
    assert parts["loss"] == parts["loss"]
    with pytest.raises(UsageError, match="instants: one -> two"):
        _resumed(identity(shards, tmp_path / "a", recipe="d3"), training.prepared.identity, tmp_path)


def _resumed(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Go on with a run of the identity ``before``."""
    run = RunFolder(folder)
    run.write_json(RUN, {"identity": before})
    run.resume(now)


def test_runs_of_before_are_refused_where_they_trained_on_other_windows_and_only_there(tmp_path: Path) -> None:
    shards = world(tmp_path / "s", track=-1)
    cases = [
        ("c1", "dimp18", {}, ""),
        ("c1", "superdimp", {}, "flips: together -> each"),
        ("pretrain", "dimp18", {"batch_size": 8, "samples_per_epoch": 8}, "images: 1 -> 3"),
        ("pretrain", "dimp18", {"batch_size": 8, "samples_per_epoch": 8, "images": 1}, ""),
    ]
    for recipe, tracker, changes, told in cases:
        now = identity(shards, tmp_path / "x", recipe=recipe, tracker=tracker, **changes)
        before = {key: value for key, value in now.items() if key not in ("images", "instants", "flips")}
        if told:
            with pytest.raises(UsageError, match=told):
                _resumed(before, now, tmp_path)
        else:
            assert before == now
            _resumed(before, now, tmp_path)


def test_all_rows_in_order_see_that_a_row_was_trained_on_other_instants(tmp_path: Path) -> None:
    shards, out = world(tmp_path / "s"), tmp_path / "c1"
    loop.train_row(settings(shards, out, recipe="c1", epochs=1))
    same: TrainConfig = settings(shards, out, recipe="c1", epochs=1)
    refuse_other_settings(same)
    with pytest.raises(UsageError, match="instants: one -> two"):
        refuse_other_settings(same.model_copy(update={"instants": "two"}))


def test_a_row_of_tubes_wants_them_and_counts_what_has_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The last pair has no tube: both branches see it at one instant."""
    shards, blind = world(tmp_path / "s"), world(tmp_path / "b", track=-1)
    with caplog.at_level(logging.INFO):
        data = prepare(settings(shards, tmp_path / "a", recipe="t3", held_out=0)).data
    assert "recipe t3 wants detection-tubes patches, these shards hold detection: it takes these" in caplog.text
    assert data.tracks is not None
    assert data.tracks.told() == {"patches": 24, "of_objects": 23, "objects": 6, "repeated": 1}
    assert "23 of 24 patches are of 6 objects that are seen at several; 1 have no other instant" in caplog.text
    last = int(data.source.place[-1, 2])
    draws = [data.training_windows(samples=200).draws.draw(index).patches for index in range(200)]
    assert all((patches[0] == patches[1]) == (patches[0] == [last]) for patches in draws)
    assert ([last], [last]) in draws
    told = "detection-tubes patches are seen at two instants: the shards know no object .* --method detection --tubes "
    with pytest.raises(UsageError, match=told):
        prepare(settings(blind, tmp_path / "a", recipe="t3"))
    assert prepare(settings(blind, tmp_path / "a", recipe="t3", instants="one")).data.tracks is None
