"""``--dry-run``: how long a run would take, told by several steps, and what lies where it would write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trainer.checkpoints.run_folder import RUN
from trainer.train import dry_run, stepping

from ..train_world import settings, write_world

pytestmark = pytest.mark.usefixtures("small_training")


def clock(seconds: list[float]) -> Iterator[float]:
    """What a clock shows before and after steps of these lengths."""
    for length in seconds:
        yield from (0.0, length)


@pytest.mark.parametrize(
    ("samples", "lengths", "told"),
    [(16, [90.0, 2.0, 50.0, 3.0], 3.0), (4, [90.0, 2.0], 2.0), (2, [90.0], 90.0)],
    ids=["four steps", "two steps", "one step"],
)
def test_a_step_takes_what_the_middle_one_took_after_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: int, lengths: list[float], told: float
) -> None:
    shown = clock(lengths)
    monkeypatch.setattr(stepping.time, "perf_counter", lambda: next(shown))
    monkeypatch.setattr(stepping, "step", lambda *_: {"loss": 1.0})
    made = dry_run.dry_run(settings(write_world(tmp_path / "s"), tmp_path / "run", samples_per_epoch=samples))
    assert made.seconds_per_step == told
    steps = samples // 2
    assert dict(made.facts)["the run"].startswith(f"2 x {steps} steps of 2 pairs in {told:.2f} s, about ")
    assert next(shown, None) is None


def test_a_run_of_days_tells_how_to_have_a_first_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = write_world(tmp_path / "s")
    monkeypatch.setattr(stepping, "step", lambda *_: {"loss": 1.0})

    def told(seconds: float) -> str:
        shown = clock([seconds] * 2)
        monkeypatch.setattr(stepping.time, "perf_counter", lambda: next(shown))
        return dict(dry_run.dry_run(settings(world, tmp_path / "run", epochs=1, samples_per_epoch=4)).facts)["the run"]

    assert told(40_000.0).endswith("about 22.2 h of stepping")
    assert told(90_000.0).endswith("about 2.1 days of stepping (for a first look: --epochs 1 --samples-per-epoch 500)")


def test_an_earlier_run_is_told_of_where_there_is_one(tmp_path: Path) -> None:
    asked = settings(write_world(tmp_path / "s"), tmp_path / "run")
    assert dict(dry_run.dry_run(asked).facts)["writes"] == str(tmp_path / "run")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / RUN).write_text("{}")
    told = dict(dry_run.dry_run(asked.model_copy(update={"on_existing": "overwrite"})).facts)["writes"]
    assert told == f"{tmp_path / 'run'} (the earlier run there is overwritten)"
