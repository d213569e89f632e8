"""a1 with batch-norm statistics of TIR: nothing else changes, and they are those of the windows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UsageError
from trainer import train
from trainer.checkpoints.weights import load_weights
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding, assemble
from trainer.data.shards import open_source
from trainer.distillation import batch_statistics
from trainer.distillation.batch_statistics import measure_statistics
from trainer.net import build_network
from trainer.net.base import normalise
from trainer.recipes.geometry import geometry_of
from trainer.recipes.settings import TrainConfig, configure

from ..train_world import SMALL_WINDOW, shard, write_teacher, write_world

pytestmark = pytest.mark.usefixtures("small_training")
TIR = Feeding(("tir",), ("tir",))
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def config(world: Path, out: Path, **changes: object) -> TrainConfig:
    base = {"recipe": "a1", "tracker": "dimp18", "out": out, "shards": (world,), "bn_batches": 2, "batch_size": 8}
    return TrainConfig.model_validate(base | {"device": "cpu", "loader_workers": 0} | changes)


@pytest.mark.slow
def test_only_the_statistics_of_what_runs_change_and_nothing_depends_on_workers(tmp_path: Path) -> None:
    world, teacher = write_world(tmp_path / "shards"), write_teacher(tmp_path)
    before = load_weights(teacher)
    made = []
    for workers in (0, 2):
        out = tmp_path / str(workers)
        train.run(config(world, out, init=(teacher,), loader_workers=workers))
        made.append(load_weights(out / "model.safetensors"))
        assert json.loads((out / "run.json").read_text())["settings"]["bn_batches"] == 2
    assert all(value.equal(made[1][name]) for name, value in made[0].items())
    changed = {name for name, value in made[0].items() if not value.equal(before[name])}
    norms = {name.rpartition(".")[0] for name in before if name.endswith("running_mean")}
    runs = {name for name in norms if not name.startswith("feature_extractor.layer4")}
    assert len(runs) > 20
    assert changed == {f"{name}.{kind}" for name in runs for kind in STATISTICS}


@pytest.mark.slow
def test_typed_again_it_is_kept_or_refused_and_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world, teacher, out = write_world(tmp_path / "shards"), write_teacher(tmp_path), tmp_path / "a1"
    asked = config(world, out, init=(teacher,))
    train.run(asked)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(batch_statistics, "measure_statistics", lambda *_: pytest.fail("measured again"))
        with caplog.at_level("INFO"):
            train.run(asked.model_copy(update={"window": SMALL_WINDOW, "loader_workers": 2}))
        assert f"{out} is finished and kept" in caplog.text
        other = write_world(tmp_path / "other", shard(6, 3))
        for change, told in (
            ({"bn_batches": 3}, "bn_batches: 2 -> 3"),
            ({"init": ()}, "start: "),
            ({"shards": (other,)}, "shards: "),
            ({"on_existing": "fail"}, "already holds "),
        ):
            with pytest.raises(UsageError, match=told):
                train.run(asked.model_copy(update=change))
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    train.run(asked.model_copy(update={"bn_batches": 3, "on_existing": "overwrite"}))
    assert json.loads((out / "run.json").read_text())["identity"]["bn_batches"] == 3


@pytest.mark.slow
def test_a_model_that_does_not_say_on_what_it_was_measured_is_measured_again(tmp_path: Path) -> None:
    """As earlier versions left it."""
    world, out = write_world(tmp_path / "shards"), tmp_path / "a1"
    train.run(config(world, out))
    run = json.loads((out / "run.json").read_text())
    del run["identity"]
    (out / "run.json").write_text(json.dumps(run))
    train.run(config(world, out))
    with pytest.raises(UsageError, match="was made with other settings or input"):
        train.run(config(world, out, bn_batches=3))


def test_statistics_are_the_means_over_batches(tmp_path: Path) -> None:
    """Of the first batch-norm, which sees the first convolution of the windows."""
    source = open_source((write_world(tmp_path),))
    torch.manual_seed(1)
    net = build_network("dimp18").eval()
    windows = PairDataset(source, np.arange(12), geometry_of("dimp18"), TIR, samples=16, seed=0, augment=False)
    maps = []
    with torch.no_grad():
        for first in (0, 8):
            batch = torch.utils.data.default_collate([windows[number] for number in range(first, first + 8)])
            feed = assemble(batch, TIR, torch.device("cpu"))
            maps.append(net.feature_extractor.conv1(normalise(torch.cat([feed.reference, feed.test]))))
    measure_statistics(net, windows, 8, 0)
    norm = net.feature_extractor.bn1
    mean = torch.stack([each.mean((0, 2, 3)) for each in maps]).mean(0)
    variance = torch.stack([each.var((0, 2, 3)) for each in maps]).mean(0)
    torch.testing.assert_close(norm.running_mean, mean, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(norm.running_var, variance, rtol=1e-3, atol=1e-4)
    assert norm.momentum == 0.1
    assert not norm.training


def test_it_is_for_a1_with_shards_and_batches_that_will_do(tmp_path: Path) -> None:
    world = write_world(tmp_path / "shards")
    for recipe in ("b3", "b1", "pretrain", "all"):
        with pytest.raises(UsageError, match="--set bn_batches has no effect here, it is for"):
            train.run(configure({"recipe": recipe, "tracker": "dimp18", "out": tmp_path / "x"}, ("bn_batches=2",)))
    with pytest.raises(UsageError, match="statistics are measured on the TIR of shards: give --shards"):
        train.run(config(world, tmp_path / "x", shards=(), batch_size=None))
    with pytest.raises(UsageError, match=r"--batch-size 4: the batch-norms of dimp18 .* from a batch of 8 at least"):
        train.run(config(world, tmp_path / "x", batch_size=4))
    with pytest.raises(UsageError, match="--batch-size has no effect here"):
        train.run(config(world, tmp_path / "x", bn_batches=0))
