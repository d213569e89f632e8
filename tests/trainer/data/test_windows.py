"""WindowDataset: the very windows of a run, drawn without one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from pipeline.errors import UsageError
from trainer.data import Feed, WindowDataset
from trainer.data.split.side import place_of
from trainer.train import loop
from trainer.train.session import Training

from ..train_world import settings, shard, write_world

pytestmark = pytest.mark.usefixtures("small_training")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"))


def tensors(feed: Feed) -> dict[str, torch.Tensor]:
    every = {field.name: getattr(feed, field.name) for field in dataclasses.fields(feed)}
    assert every.pop("images") == 1
    # Whether a run keeps a window's features is no part of what it is fed.
    del every["again"]
    for two in ("density", "twins"):
        every |= {f"{two} {place}": tensor for place, tensor in enumerate(every.pop(two) or ())}
    return {name: value for name, value in every.items() if value is not None}


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        ("c1", {"seed": 5}),
        ("d3", {}),
        ("d3", {"mix": "spatial", "jitter": "none"}),
        ("b1", {"bbe_loss": "kl"}),
        ("b2", {"losses": "features", "misalign": 3.0}),
        ("d3", {"pairs": "shuffled", "held_out": 0.5}),
        ("d3", {"feed": "gray"}),
        ("k3", {}),
    ],
)
def test_a_sample_of_an_epoch_is_what_a_run_fed(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, options: dict[str, Any]
) -> None:
    """A run of two epochs of four draws, two a step: every row of every step is found, bit for bit."""
    fed: list[Feed] = []

    def take(_: Training, feed: Feed) -> dict[str, float]:
        fed.append(feed)
        return {"loss": 1.0}

    monkeypatch.setattr(loop, "step", take)
    for what in ("save_model", "save_state"):
        monkeypatch.setattr(loop.RunFolder, what, lambda *_: None)
    loop.train_row(settings(world, tmp_path / "run", recipe=recipe, samples_per_epoch=4, **options))
    assert len(fed) == 4
    windows = WindowDataset([world], recipe, "dimp18", samples_per_epoch=4, **options)
    assert len(windows) == 4
    for epoch in range(2):
        windows.epoch = epoch
        for draw in range(4):
            mine = tensors(windows.feed(torch.utils.data.default_collate([windows[draw]])))
            run = tensors(fed[2 * epoch + draw // 2])
            assert mine.keys() == run.keys()
            # A pair that enters both ways round has a row in each half of the batch.
            for way in range(len(windows.data.feeding.reference)):
                for name, value in mine.items():
                    assert value[way].equal(run[name][2 * way + draw % 2]), name


def test_it_can_be_read_by_several_processes(world: Path) -> None:
    windows = WindowDataset([str(world)], "b2", "atom", samples_per_epoch=3, epoch=2)
    batch = next(iter(DataLoader(windows, 3, num_workers=2)))
    assert batch["test_tir"].shape == (3, 3, 144, 144)
    alone = torch.utils.data.default_collate([windows[draw] for draw in range(3)])
    assert all(alone[name].equal(batch[name]) for name in alone)


def test_a_process_that_persists_follows_the_epoch(world: Path) -> None:
    windows = WindowDataset([world], "b2", "atom", samples_per_epoch=3, epoch=1)
    loader = DataLoader(windows, 3, num_workers=1, persistent_workers=True)
    for epoch in (1, 4, 0):
        windows.epoch = epoch
        assert windows.epoch == epoch
        for _ in range(2):
            (batch,) = loader
            fresh = WindowDataset([world], "b2", "atom", samples_per_epoch=3, epoch=epoch)
            alone = torch.utils.data.default_collate([fresh[draw] for draw in range(3)])
            assert all(alone[name].equal(batch[name]) for name in alone)


def test_an_epoch_ends_and_settings_that_do_not_fit_are_named(world: Path) -> None:
    windows = WindowDataset([world], "b1", "dimp18", samples_per_epoch=2)
    assert len(list(iter(windows))) == 2
    with pytest.raises(IndexError, match="draw 2: an epoch has 2"):
        windows[2]
    with pytest.raises(UsageError, match=r"setting sed: .*did you mean seed\?"):
        WindowDataset([world], "b1", sed=3)
    with pytest.raises(UsageError, match="recipe b1 needs --shards"):
        WindowDataset([], "b1")


@pytest.mark.parametrize(("sequences", "share", "said"), [(2, 0.1, True), (2, 0.4, False), (6, 0.1, False)])
def test_much_more_held_out_than_asked_for_is_told(
    tmp_path: Path, sequences: int, share: float, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Of two sequences one is held out by its hash, and half of the pairs with it."""
    keys = [f"m|video-{number}" for number in range(sequences)]
    seed = next(n for n in range(10_000) if sum(place_of(n, key) < share for key in keys) == 1)
    world = write_world(tmp_path, shard(sequences, 4), manifest="m")
    data = WindowDataset([world], "c1", "dimp18", held_out=share, split_seed=seed).data
    assert len(data.validation_pairs) == 4
    told = f"4 of {4 * sequences} pairs are held out where held_out={share:g} was asked for"
    assert (told in caplog.text) is said
