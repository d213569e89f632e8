"""How well targets are known unseen: a dry run tells it, and so do a run and its page."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from trainer.checkpoints.run_folder import REPORT
from trainer.data.giveaways import Giveaway, tell
from trainer.train import loop
from trainer.train.dry_run import dry_run

from ..train_world import settings, shard, write_world

pytestmark = pytest.mark.usefixtures("small_training")


def test_how_well_targets_are_known_unseen_is_told_by_a_dry_run_a_run_and_its_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Centre boxes of half the picture: windows are larger than it."""
    content = shard()
    content.patches = [dataclasses.replace(patch, box=np.array([60.0, 40, 80, 80])) for patch in content.patches]
    asked = settings(write_world(tmp_path / "shards", content), tmp_path / "run", epochs=1)
    facts = dict(dry_run(asked).facts)
    loop.train_row(asked)
    warned = [record.message for record in caplog.records if "windows give their targets away" in record.message]
    assert len(warned) == 2, "once by each"
    found = json.loads((tmp_path / "run/run.json").read_text())["giveaways"]
    page = (tmp_path / "run" / REPORT).read_text()
    for branch in ("reference", "test"):
        told = facts[f"{branch} targets"]
        assert told == tell(Giveaway(**found[branch]))
        assert told in page
        assert found[branch]["middle"] > 0.25
