"""How a result is told: a table, one JSON object, or not at all; and what else is said goes elsewhere."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from pipeline.cli import main as prep
from pipeline.errors import TooManyRejectsError
from pipeline.files.json_text import plain
from pipeline.runtime.command import Command, SingleCommand, print_result, print_table, telling
from pipeline.runtime.executor import run_tasks
from trainer.commands.evaluate import main as evaluate
from trainer.commands.track import main as track
from trainer.commands.train import main as train

from .executor_tasks import Job, talkative

log = logging.getLogger("pipeline.made_up")


@dataclass(frozen=True)
class Inner:
    """What a result holds."""

    score: float


class Recorded:
    """What is written down in its own way."""

    secret = 1

    def record(self) -> dict[str, object]:
        return {"told": (1, 2)}


@dataclass(frozen=True)
class Made:
    """A result with all that results have."""

    out: Path = Path("日é/\udcff")
    counts: Counter[str] = field(default_factory=lambda: Counter(person=3))
    inner: tuple[Inner, ...] = (Inner(0.5), Inner(float("nan")))
    array: object = field(default_factory=lambda: np.array([[1.0, np.inf]]))
    number: object = np.int64(7)
    nothing: None = None
    recorded: Recorded = field(default_factory=Recorded)


TOLD = {
    "out": "日é/\udcff",
    "counts": {"person": 3},
    "inner": [{"score": 0.5}, {"score": None}],
    "array": [[1.0, None]],
    "number": 7,
    "nothing": None,
    "recorded": {"told": [1, 2]},
}


@click.command()
@click.option("--fail", is_flag=True)
@telling
def stage(fail: bool) -> None:
    log.info("half is done")
    log.warning("warning: odd")
    print("a library talks")  # noqa: T201
    print_table([("plan", "before the work")])
    print_result(Made(), [("made", 1)], [("report", 2)])
    if fail:
        raise TooManyRejectsError("60% rejected")


@click.group(cls=Command)
def group() -> None:
    """A tool of several stages."""


group.add_command(stage)
single = SingleCommand("single", callback=stage.callback, params=list(stage.params))


def run(*words: str, tool: click.Command = group) -> Result:
    return CliRunner().invoke(tool, ["stage", *words] if tool is group else list(words), catch_exceptions=False)


@pytest.mark.parametrize("tool", [group, single])
def test_a_result_is_told_in_tables(tool: click.Command) -> None:
    found = run(tool=tool)
    assert found.stdout.splitlines() == ["a library talks", "plan  before the work", "made  1", "report  2"]


@pytest.mark.parametrize("tool", [group, single])
@pytest.mark.parametrize("words", [["--json"], ["--json", "--quiet"], ["--quiet", "--json", "--debug"]])
def test_json_is_all_that_the_standard_output_gets(tool: click.Command, words: list[str]) -> None:
    found = run(*words, tool=tool)
    assert json.loads(found.stdout) == TOLD
    assert found.stdout.isascii()
    assert found.stdout.count("\n") == 1
    assert "a library talks" in found.stderr
    assert ("plan  before the work" in found.stderr) == ("--quiet" not in words)


@pytest.mark.parametrize("tool", [group, single])
def test_quiet_leaves_warnings_and_errors(tool: click.Command, caplog: pytest.LogCaptureFixture) -> None:
    found = run("--quiet", "--fail", tool=tool)
    assert found.stdout == "a library talks\n"
    assert found.stderr.splitlines()[-1] == "error: 60% rejected"
    assert caplog.messages == ["warning: odd"]
    caplog.clear()
    run(tool=tool)
    assert caplog.messages == ["half is done", "warning: odd"]


def test_a_result_is_told_though_too_much_was_rejected() -> None:
    found = run("--json", "--fail")
    assert (found.exit_code, json.loads(found.stdout)) == (1, TOLD)


def test_json_is_not_made_of_what_it_cannot_hold() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(plain({"a": object()}))


@pytest.mark.parametrize(
    "command",
    [
        *(prep.commands[name] for name in ("align", "mine", "export", "doctor", "synth")),
        *(train.commands[name] for name in ("train", "merge", "two-frame", "study")),
        track,
        evaluate,
    ],
    ids=lambda command: command.name,
)
def test_every_stage_has_both(command: click.Command) -> None:
    assert {"--json", "--quiet"} <= {name for option in command.params for name in option.opts}


def test_the_object_is_the_result(tmp_path: Path) -> None:
    words = ["synth", "--out", str(tmp_path / "data"), "--sequences", "1", "--frames", "1", "--tracking", "0"]
    found = CliRunner().invoke(prep, [*words, "--size", "96,96", "--workers", "1", "--json"])
    assert json.loads(found.stdout)["pairs"] == 1
    words = ["doctor", str(tmp_path / "data" / "pairs"), "--workers", "1", "--json"]
    found = CliRunner().invoke(prep, words)
    assert [line["check"] for line in json.loads(found.stdout)["lines"]][:2] == ["layout", "pairs"]


def test_what_workers_print_is_no_result(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert list(run_tasks(talkative, [Job(1, tmp_path)], workers=2)) == [1]
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "a library talks\n")


def test_the_object_names_every_file(tmp_path: Path) -> None:
    """Folders stand for what lies in them."""
    data, aligned, shards = (tmp_path / name for name in ("data", "aligned", "shards"))
    few = ["--workers", "1"]
    for words, out in (
        (["synth", "--sequences", "1", "--frames", "2", "--tracking", "0", "--size", "96,96", *few], data),
        (["align", "--root", str(data / "pairs"), "--min-score", "0", "--write-images", *few], aligned),
        (["mine", "--aligned", str(aligned), "--method", "center", *few], shards),
        (["export", str(shards), "--format", "folders"], tmp_path / "exported"),
    ):
        found = CliRunner().invoke(prep, [*words, "--out", str(out), "--json"])
        assert found.exit_code == 0, found.output
        there = {str(path) for path in out.iterdir() if path.name not in (".lock", "tracking")}
        assert set(json.loads(found.stdout)["files"]) >= there
        assert "config.yaml" in {Path(name).name for name in json.loads(found.stdout)["files"]}
