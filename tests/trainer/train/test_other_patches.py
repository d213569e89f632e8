"""Shards of other patches than a row wants: refused before the work, unless they are forced on it, as is recorded."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from trainer.checkpoints.run_folder import RUN
from trainer.recipes.settings import TrainConfig
from trainer.train import loop, run

from ..train_world import settings, shard, write_world

pytestmark = pytest.mark.usefixtures("small_training")
REFUSED = (
    "^recipe c1 wants center patches, these shards hold random: choose these with --patches random, take them with "
    "--force, or mine others: cmd-prep mine --aligned ALIGNED --method center --out /.*/center$"
)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    return write_world(tmp_path / "random", shard(method="random"))


def recorded(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / RUN).read_text()))


@pytest.mark.parametrize("dry_run", [False, True])
def test_other_patches_are_refused_before_the_work(shards: Path, tmp_path: Path, dry_run: bool) -> None:
    config = settings(shards, tmp_path / "run", force=False, dry_run=dry_run)
    with pytest.raises(UsageError, match=REFUSED) as refused:
        run(config)
    assert refused.value.exit_code == 2
    assert not config.out.exists()


def test_forced_ones_train_and_the_run_says_so(shards: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = tmp_path / "run"
    loop.train_row(settings(shards, out, epochs=1, force=True))
    assert "recipe c1 wants center patches, these shards hold random: it takes these" in caplog.text
    assert recorded(out)["settings"]["force"] is True
    assert "force" not in recorded(out)["identity"]
    with pytest.raises(UsageError, match=REFUSED):
        loop.train_row(settings(shards, out, epochs=2, force=False))
    assert loop.train_row(settings(shards, out, epochs=2, force=True)).epochs == 2


def test_patches_that_are_chosen_or_fit_are_not_forced(
    shards: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    loop.train_row(settings(shards, tmp_path / "chosen", epochs=1, patches="random"))
    both = (shards, write_world(tmp_path / "center", shard(method="center")))
    fitting = settings(shards, tmp_path / "fitting", epochs=1, force=False)
    loop.train_row(fitting.model_copy(update={"shards": both}))
    for name in ("chosen", "fitting"):
        assert "force" not in recorded(tmp_path / name)["settings"]
    assert "it takes these" not in caplog.text


@pytest.mark.parametrize("changes", [{"patches": "random"}, {"recipe": "all"}, {"recipe": "b3"}])
def test_where_nothing_is_to_be_forced_it_is_refused(tmp_path: Path, changes: dict[str, str]) -> None:
    given = {"recipe": "c1", "tracker": "dimp18", "out": tmp_path / "run", "force": True} | changes
    with pytest.raises(UsageError, match="--force has no effect here"):
        run(TrainConfig.model_validate(given))
