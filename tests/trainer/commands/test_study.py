"""``cmd-train study``: the plan before the work, and what is refused before it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from trainer.commands.options import HoursType
from trainer.commands.train import main


@pytest.fixture
def init(tmp_path: Path) -> Path:
    path = tmp_path / "resnet18.pth"
    path.write_bytes(b"weights")
    return path


def study(init: Path, *words: object) -> Result:
    given = ["study", "--out", init.with_name("study"), "--init", init, *words]
    return CliRunner().invoke(main, list(map(str, given)))


@pytest.mark.parametrize("preset", ["toy", "quick", "laptop", "full"])
@pytest.mark.parametrize("tracker", ["dimp18", "nanotrack_v2"])
def test_a_dry_run_prints_the_plan_and_writes_nothing(init: Path, preset: str, tracker: str) -> None:
    done = study(init, "--preset", preset, "--tracker", tracker, "--workers", 2, "--dry-run")
    assert done.exit_code == 0, done.output
    told = dict(line.split("  ", 1) for line in done.stdout.splitlines())
    assert told["preset"].strip() == preset
    assert told["left out by --budget"].strip() == "nothing"
    assert float(told["expected hours, 2 side by side"]) <= float(told["expected CPU-hours"])
    assert not init.with_name("study").exists()


def test_the_plan_says_what_a_budget_leaves_out(init: Path) -> None:
    done = study(init, "--preset", "laptop", "--budget", "8h", "--dry-run")
    assert "features, misalign-20" in done.stdout
    less = study(init, "--preset", "laptop", "--budget", "1m", "--dry-run")
    assert less.exit_code == 2
    assert "a1 and d3 alone are expected to take" in less.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--pairs", "a"), "give --test SEQUENCES too"),
        (("--test", "a"), "give --pairs ALIGNED too"),
        (("--budget", "6"), "'6' is not a time like 6h or 90m"),
        (("--tracker", "dimp81"), "did you mean dimp18?"),
        (("--tracker", "atom"), "train a classifier, and it has none"),
        (("--preset", "small"), "'small' is not one of"),
        (("--seeds", "0"), "0 is not in the range"),
    ],
)
def test_what_makes_no_sense_is_a_line(init: Path, words: tuple[str, ...], told: str) -> None:
    done = study(init, *words)
    assert done.exit_code == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not init.with_name("study").exists()


@pytest.mark.parametrize(("text", "hours"), [("6h", 6), ("90m", 1.5), ("1.5h", 1.5)])
def test_times_are_read_as_people_write_them(text: str, hours: float) -> None:
    assert HoursType().convert(text, None, None) == hours


@pytest.mark.parametrize("text", ["", "h", "6", "-1h", "0m", "nanh", "infh", "6 hours", "1e999h"])
def test_what_is_no_time_is_refused(init: Path, text: str) -> None:
    done = study(init, "--budget", text, "--dry-run")
    assert done.exit_code == 2
    assert "is not a time like 6h or 90m" in done.stderr
