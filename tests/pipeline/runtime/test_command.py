"""The frame around every command: exit codes, one line an error, no traceback unless it is asked for."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.errors import CmdTirError, DataError, TooManyRejectsError, UsageError
from pipeline.runtime.command import Command, print_table

from ...conftest import Run, done, told

FAILURES: dict[str, tuple[BaseException, int, str]] = {
    "usage": (UsageError("wrong\nsetting"), 2, "error: wrong setting"),
    "data": (DataError("x.h5: damaged"), 3, "error: x.h5: damaged"),
    "rejects": (TooManyRejectsError("60% rejected"), 1, "error: 60% rejected"),
    "failure": (CmdTirError("a worker died twice"), 4, "error: a worker died twice"),
    "disk": (OSError(28, "No space left on device", "out/x.h5"), 4, "error: out/x.h5: No space left on device: free"),
    "unforeseen": (ZeroDivisionError("division by zero"), 4, "error: ZeroDivisionError: division by zero (rerun with"),
    "ctrl-c": (KeyboardInterrupt(), 4, "error: interrupted: run the same command again to go on"),
    "click": (click.BadParameter("no"), 2, "error: Invalid value: no (--help lists the options)"),
}


def failing(error: BaseException, *words: str) -> Result:
    @click.group(cls=Command)
    def tool() -> None:
        """A tool."""

    @tool.command()
    def fail() -> None:
        raise error

    return CliRunner().invoke(tool, ["fail", *words])


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_is_one_line_and_an_exit_code(case: str) -> None:
    error, code, line = FAILURES[case]
    result = failing(error)
    assert told(result, code).startswith(line)
    assert result.stdout == ""


def test_debug_shows_the_traceback_wherever_it_is_typed() -> None:
    result = failing(ZeroDivisionError("oh"), "--debug")
    assert result.exit_code == 4
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ZeroDivisionError")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["mine"], "Missing option"),
        (["align", "--root", "x", "--out", "y", "--bogus"], "No such option '--bogus'"),
        (["alin"], "No such command 'alin'"),
        (["mine", "--aligned", "a", "--out", "b", "--method", "best"], "no mining method is called 'best'"),
        (["mine", "--aligned", "a", "--out", "b", "--method", "random", "--fraction", "1/0"], "is not a fraction"),
        (["mine", "--aligned", "a", "--out", "b", "--method", "random", "--fraction", "2"], "setting fraction: "),
        (["mine", "--aligned", "a", "--out", "b", "--method", "random", "--workers", "0"], "--workers"),
        (["mine", "--aligned", "a", "--out", "b", "--method", "random", "--worker-resources", "GPU=x"], "GPU=1"),
        (["align", "--root", ".", "--out", "y", "--tir-range", "1"], "has 1 numbers, expected 2"),
        (["align", "--root", ".", "--out", "y", "--min-score", "2"], "--min-score"),
        (["align", "--root", ".", "--out", "y", "--manifest", "nope"], "no manifest 'nope'"),
        (["synth", "--out", "y", "--size", "10,10"], "setting size"),
    ],
)
def test_bad_usage_ends_with_2(prep: Run, words: list[str], part: str) -> None:
    told(prep(*words), 2, part)


def test_help_and_version(prep: Run) -> None:
    assert "align" in done(prep("--help"))
    for name in ("align", "mine", "verify", "inspect", "report", "manifests", "synth", "export"):
        assert "Usage: " in done(prep(name, "--help"))
    assert done(prep("--version")).startswith("cmd-prep, version ")
    assert "kaist" in done(prep("manifests"))


def test_a_manifest_is_shown_whole_with_its_lists(prep: Run) -> None:
    lines = [line.split(maxsplit=1) for line in done(prep("manifests", "kaist")).splitlines()]
    assert ["name", "kaist"] in lines
    assert ["train-all-20", "imageSets/train-all-20.txt"] in lines
    assert ["pairs", "95328"] in lines
    told(prep("manifests", "kaits"), 2, "did you mean kaist?")


def test_no_command_shows_the_help_and_is_no_success() -> None:
    from pipeline.cli import main

    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert "error:" not in result.stderr
    assert "Commands:\n" in result.stderr


def test_a_table_is_shown_also_where_the_working_folder_was_removed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    print_table([("report", tmp_path / "report.html")])
    assert capsys.readouterr().out == f"report  {tmp_path / 'report.html'}\n"


def test_a_table_has_aligned_columns_and_short_paths(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    print_table([("a", 1), ("long name", 0.123456), ("path", tmp_path / "x" / "y"), ("three", 1, 2)])
    assert capsys.readouterr().out == "a          1\nlong name  0.1235\npath       x/y\nthree      1       2\n"
    print_table([])
    assert capsys.readouterr().out == ""
