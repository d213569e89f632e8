"""How far work is: on a terminal a bar, in a log lines, where nobody wants to hear it nothing."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.runtime import progress
from pipeline.runtime.console import on_terminal
from pipeline.runtime.counting import Tally
from pipeline.runtime.executor import run_tasks
from pipeline.runtime.progress import Course, ProgressBar, duration, followed

from .executor_tasks import Job, half, numbered


class Clock:
    """A clock that goes when it is told to."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@contextlib.contextmanager
def terminal(level: int = logging.INFO) -> Iterator[Terminal]:
    """A terminal in place of the error stream, and a log that takes messages of a level."""
    stream, before = Terminal(), progress.log.level
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        progress.log.setLevel(level)
        yield stream
        progress.log.setLevel(before)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (5400, "1.5 h"), (47 * 3600, "47.0 h"), (6.9 * 86400, "6.9 days")],
)
def test_a_duration_is_told_in_the_unit_that_people_use(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_a_log_gets_a_line_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with ProgressBar("mine center", 6000, "pairs", done=1000) as bar:
        for _ in range(50):
            clock.now += 4
            bar.advance(40, "loss 0.5")
    assert caplog.messages == [
        "mine center: 6,000 pairs",
        "mine center: 18 % after 12 s: 8 min left, 1,120/6,000 pairs, loss 0.5, 10/s",
        "mine center: 28 % after 1 min: 7 min left, 1,720/6,000 pairs, loss 0.5, 10/s",
        "mine center: 38 % after 2 min: 6 min left, 2,320/6,000 pairs, loss 0.5, 10/s",
        "mine center: 48 % after 3 min: 5 min left, 2,920/6,000 pairs, loss 0.5, 10/s",
        "mine center: 50 % after 3 min: 5 min left, 3,000/6,000 pairs, loss 0.5, 10/s",
    ]


def test_the_last_line_of_a_log_is_told_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with ProgressBar("track", 10, "frames", rest_s=120) as bar:
        clock.now += 60
        bar.advance(5)
        clock.now += 60
        bar.advance(5)
    assert caplog.messages == [
        "track: 10 frames",
        "track: 50 % after 1 min: 3 min left, 5/10 frames, 0.0833/s",
        "track: 100 % after 2 min: 10/10 frames, in 2 min, 0.0833/s",
    ]


def test_a_course_tells_what_is_left_of_all_its_pieces(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """The second goes half as fast as the first: the third, of twice its size, is expected at the speed of both."""
    caplog.set_level(logging.INFO)
    course = Course(400)
    for name, seconds, size in (("a1", 60, 100), ("b1", 120, 100), ("c1", 120, 200)):
        with course.piece(size):
            with ProgressBar(f"{name}: measuring", 2, "windows", keep=False) as part:
                clock.now += 60
                part.advance(1)
            with ProgressBar(name, 100, "samples") as bar:
                clock.now += seconds
                bar.advance(50)
                clock.now += seconds
                bar.advance(50)
    assert [line for line in caplog.messages if " 50 %" in line] == [
        "a1: measuring: 50 % after 1 min: 1 min left, 1/2 windows, 0.0167/s",
        # 180 s for 100, 300 more to come.
        "a1: 50 % after 1 min: 1 min left, 10 min with all that follows, 50/100 samples, 0.833/s",
        "b1: measuring: 50 % after 1 min: 1 min left, 1/2 windows, 0.0167/s",
        # 180 + 300 s for 200, 200 more to come.
        "b1: 50 % after 2 min: 2 min left, 10 min with all that follows, 50/100 samples, 0.417/s",
        "c1: measuring: 50 % after 1 min: 1 min left, 1/2 windows, 0.0167/s",
        "c1: 50 % after 2 min: 2 min left, 50/100 samples, 0.417/s",
    ]


def test_of_a_piece_that_was_begun_only_what_is_left_says_how_long_the_others_take(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Course(200).piece(100), ProgressBar("a1", 1000, "samples", done=900) as bar:
        clock.now += 60
        bar.advance(50)
    # Ten of its hundred take two minutes.
    assert "1 min left, 21 min with all that follows, 950/1,000 samples" in caplog.messages[1]


def test_a_bar_after_a_course_tells_its_own_time_alone(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with contextlib.suppress(RuntimeError), Course(200).piece(100):
        raise RuntimeError
    with ProgressBar("track", 10, "frames") as bar:
        clock.now += 60
        bar.advance(5)
    assert caplog.messages[1] == "track: 50 % after 1 min: 1 min left, 5/10 frames, 0.0833/s"


def test_what_an_earlier_run_did_says_nothing_of_the_time_that_is_left(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with ProgressBar("align", 1000, "pairs") as bar:
        bar.keep(800)
        clock.now += 60
        bar.advance(100)
    assert "90 % after 1 min: 1 min left, 900/1,000 pairs" in caplog.messages[1]


@pytest.mark.parametrize(("total", "lines"), [(0, ["reading shards"]), (5, [])])
def test_a_part_is_named_in_a_log_if_it_is_not_counted(
    total: int, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with ProgressBar("reading shards", total, "shards", keep=False) as bar:
        bar.advance(total)
    assert caplog.messages == lines


def test_nothing_is_told_where_nothing_is_left_to_do(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with ProgressBar("align", 5, "pairs", done=5) as bar:
        bar.line()
    assert caplog.messages == []


def test_a_terminal_gets_a_bar_that_stays_and_no_lines(clock: Clock) -> None:
    with terminal() as stream, ProgressBar("align", 8, "pairs") as bar:
        clock.now += 10
        bar.advance(2, "1 rejected")
        bar.line()
        clock.now += 30
        bar.advance(6)
    shown = stream.getvalue().split("\r")
    assert any("align  25 %|" in each and "| 30 s left, 2/8 pairs, 1 rejected, 0.2/s" in each for each in shown)
    assert "100 %" in shown[-1]
    assert "8/8 pairs, in 40 s" in shown[-1]
    assert shown[-1].endswith("\n")


def test_a_part_leaves_no_bar() -> None:
    with terminal() as stream:
        with ProgressBar("reading shards", keep=False):
            assert stream.getvalue().endswith("reading shards")
        assert stream.getvalue().split("\r")[-1].strip() == ""
        assert "\n" not in stream.getvalue()


def test_a_bar_is_not_torn_by_messages() -> None:
    root = logging.getLogger()
    with terminal() as stream:
        root.addHandler(handler := logging.StreamHandler(stream))
        try:
            with ProgressBar("align", 8, "pairs"):
                progress.log.warning("two cameras disagree")
        finally:
            root.removeHandler(handler)
    assert "\rtwo cameras disagree\n" in stream.getvalue()


def test_quiet_is_a_matter_of_the_log() -> None:
    with terminal(logging.WARNING) as stream:
        assert list(followed([1, 2], ProgressBar("align", 2, "pairs"))) == [1, 2]
    assert stream.getvalue() == ""


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_a_stream_that_is_closed_is_no_terminal(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None) -> None:
    if stream:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert not on_terminal()


class Seen(ProgressBar):
    """A bar that notes what it is told, and lets tasks that wait for that go on."""

    def __init__(self, folder: Path, total: int) -> None:
        super().__init__("test", total, "pairs")
        self.folder, self.notes = folder, list[tuple[int, int]]()

    def advance(self, count: int, facts: str = "", *, under_way: int = 0) -> None:
        super().advance(count, facts, under_way=under_way)
        self.notes.append((count, under_way))
        if under_way:
            (self.folder / "go").touch()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_done_of_a_task_is_seen_before_it_ends(tmp_path: Path, workers: int) -> None:
    bar = Seen(tmp_path, 4)
    with bar:
        found = list(run_tasks(half, [Job(4, tmp_path)], workers, tally=Tally[Job](bar, lambda job: job.number)))
    assert found == [4]
    assert (0, 2) in bar.notes
    assert bar.notes[-1] == (4, 0) or bar.notes[-2:] == [(4, 0), (0, 0)]


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_are_counted_once_however_many_there_are(tmp_path: Path, workers: int) -> None:
    bar = Seen(tmp_path, 30)
    with bar:
        jobs = [Job(3, tmp_path) for _ in range(10)]
        assert list(run_tasks(numbered, jobs, workers, tally=Tally[Job](bar, lambda job: job.number))) == [3] * 10
    assert sum(count for count, _ in bar.notes) == 30
    assert bar.notes[-1][1] == 0
    assert all(under_way <= 3 * workers * 2 for _, under_way in bar.notes)
