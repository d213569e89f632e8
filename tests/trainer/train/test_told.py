"""What a run of training says while it works."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.runtime import progress
from trainer.train import loop

from ..train_world import settings

pytestmark = pytest.mark.usefixtures("small_training")


@pytest.mark.slow
def test_a_log_has_the_parts_of_a_run_by_name_and_a_line_an_epoch(
    world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    options: dict[str, Any] = {"held_out_samples": 2, "held_out": 0.3}
    samples = settings(world, tmp_path).samples_per_epoch
    loop.train_row(settings(world, tmp_path, epochs=2, **options))
    told = [record.getMessage() for record in caplog.records if record.name == progress.__name__]
    assert told[:3] == ["c1: reading shards", "c1: loading weights", "c1: looking at the first draws"]
    assert told[3] == f"c1: {2 * samples} samples"
    number = r"[\d.e+-]+"
    for line, epoch, share in zip(told[4:6], (1, 2), (50, 100), strict=True):
        losses = rf"epoch {epoch}/2, loss {number}, held out {number}"
        assert re.fullmatch(rf"c1: {share} % after .*{epoch * samples}/{2 * samples} samples, .*{losses}, .*/s", line)
    assert " left, " in told[4]
    assert told[6:] == ["c1: drawing the page"]
    caplog.clear()
    loop.train_row(settings(world, tmp_path, epochs=3, **options))
    lines = [message for message in caplog.messages if " % after" in message]
    assert len(lines) == 1
    assert f"{3 * samples}/{3 * samples} samples" in lines[0]
