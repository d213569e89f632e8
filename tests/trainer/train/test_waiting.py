"""The share of the steps' time in which they wait for data, by a clock that is turned by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trainer.train.waiting import Waiting


class Clock:
    """Seconds that pass when somebody says so."""

    now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("trainer.train.waiting.time", made)
    return made


def through(clock: Clock, waiting: Waiting, reading: float, stepping: float) -> list[int]:
    """Three batches, each of which takes so long to read, and a step as long."""

    def batches() -> Iterator[int]:
        for batch in range(3):
            clock.now += reading
            yield batch

    seen = []
    for batch in waiting.timed(batches()):
        seen.append(batch)
        clock.now += stepping
    return seen


def test_what_passes_before_a_batch_is_waiting(clock: Clock) -> None:
    waiting = Waiting()
    assert waiting.share == 0
    assert through(clock, waiting, reading=1, stepping=3) == [0, 1, 2]
    assert waiting.share == pytest.approx(1 / 4)
    clock.now += 1000  # between two epochs
    through(clock, waiting, reading=5, stepping=3)
    assert waiting.share == pytest.approx(18 / 36)


@pytest.mark.parametrize(("reading", "told"), [(1, False), (2, True)])
def test_much_waiting_is_told_with_what_helps(
    clock: Clock, caplog: pytest.LogCaptureFixture, reading: float, told: bool
) -> None:
    waiting = Waiting()
    through(clock, waiting, reading, stepping=5)
    with caplog.at_level("INFO"):
        waiting.tell(2)
    assert ("steps waited for data 29 % of their time" in caplog.text) == told
