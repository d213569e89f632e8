"""Runs of a study begin in order, side by side, once; what fails or is killed is begun again, and nothing else."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import CmdTirError
from trainer.study.plan import CHOOSE, Run
from trainer.study.run import Runner, write_rate
from trainer.study.run import children as children_module
from trainer.study.run import progress as progress_module
from trainer.study.run.ledger import COSTS

from ....conftest import REPOSITORY
from .lines import MAKE, never, python, run


def work(study: Path, *runs: Run, workers: int = 1, choose: Callable[[Run], None] = never) -> list[str]:
    """Work through runs; what began, in order, in all works so far."""
    try:
        Runner(study, runs, workers, choose, python).work()
    finally:
        order = (study / "order").read_text().split() if (study / "order").is_file() else []
    return order


def costs(study: Path) -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in map(json.loads, (study / COSTS).read_text().splitlines())}


def test_runs_begin_in_order_and_once(tmp_path: Path) -> None:
    runs = run("a"), run("b", "a"), run("c", "b")
    assert work(tmp_path, *runs) == ["a", "b", "c"]
    assert work(tmp_path, *runs) == ["a", "b", "c"]
    assert list(costs(tmp_path)) == ["a", "b", "c"]
    assert (tmp_path / "logs/a.log").is_file()


def test_what_a_run_took_is_measured_of_the_run(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.6: pass\ntime.sleep(0.3)\nopen('a','w')"
    work(tmp_path, run("a", code=busy))
    cost = costs(tmp_path)["a"]
    assert 0.6 <= float(str(cost["cpu_s"])) < float(str(cost["wall_s"]))
    assert cost["expected_s"] == 1.0
    assert cost["starts"] == 1


def test_two_run_side_by_side_and_no_third(tmp_path: Path) -> None:
    """Each waits for the other to have begun, so that they end only side by side; the third sees both ended."""
    meet = (
        "import time,os\nopen('{id}.on','w')\nwhile not os.path.exists('{other}.on'): time.sleep(.01)\nopen('{id}','w')"
    )
    runs = [Run(name, ("trainer", meet.format(id=name, other=other)), (), 1.0, name) for name, other in ("ab", "ba")]
    alone = run("c", code="import os\nassert os.path.exists('a') or os.path.exists('b')\nopen('c','w')")
    work(tmp_path, *runs, alone, workers=2)
    assert set(costs(tmp_path)) == {"a", "b", "c"}


def test_a_failure_names_its_log_and_keeps_back_only_what_needs_it(tmp_path: Path) -> None:
    bad = run("bad", code="import sys; print('error: no such thing'); sys.exit(3)")
    with pytest.raises(CmdTirError) as failure:
        work(tmp_path, bad, run("after", "bad"), run("other"), run("last", "other"))
    assert failure.value.exit_code == 4
    log = tmp_path / "logs/bad.log"
    assert f"bad ended with 3 (no such thing): see {log}" in str(failure.value)
    assert "\n" not in str(failure.value)
    assert "error: no such thing" in log.read_text()
    assert (tmp_path / "order").read_text().split() == ["other", "last"]
    mended = run("bad", code=MAKE)
    assert work(tmp_path, mended, run("after", "bad"), run("other"), run("last", "other"))[2:] == ["bad", "after"]
    assert costs(tmp_path)["bad"]["starts"] == 2


def test_a_run_that_makes_nothing_has_failed(tmp_path: Path) -> None:
    with pytest.raises(CmdTirError, match="ended, and did not make a:"):
        work(tmp_path, run("a", code="pass"))


def test_a_killed_run_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(CmdTirError, match="a was killed by signal 9: see"):
        work(tmp_path, run("a", code="import os; os.kill(os.getpid(), 9)"))


@pytest.mark.parametrize("lost", ["a", "b"])
def test_what_is_lost_is_made_again_with_all_that_needed_it(lost: str, tmp_path: Path) -> None:
    runs = run("a"), run("b", "a"), run("c", "b"), run("d")
    work(tmp_path, *runs)
    (tmp_path / lost).unlink()
    assert work(tmp_path, *runs)[4:] == ["a", "b", "c"][["a", "b"].index(lost) :]


def test_a_run_by_other_words_is_another(tmp_path: Path) -> None:
    work(tmp_path, run("a"), run("b"))
    assert work(tmp_path, run("a"), run("b", code=f"{MAKE}; pass"))[2:] == ["b"]


def test_a_choice_is_made_in_its_turn_and_fills_the_places_of_its_rate(tmp_path: Path) -> None:
    def choose(run: Run) -> None:
        assert (tmp_path / "a").is_file()
        write_rate(tmp_path, run.command[1], 100.0)

    show = Run("b", ("trainer", "open('b','w').write('{rate:true} {rate:rgb-rgb} {kept}')"), ("x",), 1, "b")
    write_rate(tmp_path, "rgb-rgb", 0.5)
    runs = run("a"), Run("x", (CHOOSE, ""), ("a",), 0.0, "rates/true.json"), show
    work(tmp_path, *runs, workers=2, choose=choose)
    assert (tmp_path / "b").read_text() == "100 0.5 {kept}"
    work(tmp_path, *runs, choose=never)


def test_where_nothing_shows_a_bar_each_end_is_a_line_with_what_is_to_go(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "trainer")
    work(tmp_path, run("a"), run("b"))
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(" took")[0] for line in told] == ["a", "b"]
    assert "1 of 2 runs, about 1 s to go" in told[0]
    assert "2 of 2 runs, about 0 s to go" in told[1]


def test_a_log_hears_of_a_run_that_takes_long_before_it_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "trainer")
    monkeypatch.setattr(progress_module, "LINE_S", 0.0)
    work(tmp_path, run("a", code=f"import time; time.sleep(.3); {MAKE}"))
    assert re.fullmatch(r"0 of 1 runs, about \d s to go: a", caplog.messages[0])


def test_a_file_that_is_none_of_costs_is_named(tmp_path: Path) -> None:
    (tmp_path / COSTS).write_text('{"cost": 1}\n')
    with pytest.raises(CmdTirError, match=r"costs\.jsonl: not the costs of a study"):
        work(tmp_path, run("a"))


CUT = """
import sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from tests.trainer.study.run.lines import never, python, run
from trainer.study.run import Runner
import signal
signal.signal(signal.SIGTERM, signal.default_int_handler)
wait = "import time,os; open('{{id}}.pid','w').write(str(os.getpid())); time.sleep(60)"
try:
    Runner(Path("."), [run("a"), run("b", code=wait), run("c", code=wait)], 2, never, python).work()
except KeyboardInterrupt:
    sys.exit(4)
"""


@pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGINT])
def test_a_study_that_is_stopped_stops_its_runs_and_goes_on(kill: int, tmp_path: Path) -> None:
    code = CUT.format(repository=str(REPOSITORY))
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not all(path.is_file() and path.stat().st_size for path in (tmp_path / "b.pid", tmp_path / "c.pid")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(kill)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 4, told
    for name in "bc":
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / f"{name}.pid").read_text()), 0)
    assert work(tmp_path, run("a"), run("b"), run("c")) == ["a", "b", "c"]


def test_a_run_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children_module, "PATIENCE_S", 0.3)
    deaf = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('on','w'); time.sleep(60)"
    child = children_module.Child(run("a"), python(tmp_path, ("", deaf), tmp_path / "log"), tmp_path / "log", 1)
    while not (tmp_path / "on").is_file():
        time.sleep(0.02)
    children_module.stop([child])
    assert child.process.returncode == -signal.SIGKILL
