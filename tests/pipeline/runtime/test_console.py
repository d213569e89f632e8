"""Output that cannot be shown, or that nobody reads any more, ends no command and changes no exit code."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from pipeline.runtime import console

from ...conftest import REPOSITORY

NAME = os.fsdecode("日é".encode() + b"\xff")
COMMAND = """
import logging, sys, click
from pipeline.runtime import progress
from pipeline.runtime.command import SingleCommand, print_table

progress.LINE_S = progress.DRAW_S = 0

@click.command(cls=SingleCommand)
@click.argument("name")
@click.option("--fail", is_flag=True)
def main(name, fail):
    with progress.ProgressBar(name, 300, name) as bar:
        for _ in range(300):
            bar.advance(1)
        logging.getLogger("trainer").warning("warning: %s", name)
    open("done", "w").close()
    print_table([(name, number) for number in range(3000)])
    if fail:
        raise OSError(28, "No space left on device", name)

main()
"""


def start(
    folder: Path, *words: str, stdout: int | IO[bytes], stderr: int | IO[bytes], **env: str
) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUTF8"}
    environment |= {"PYTHONPATH": str(REPOSITORY)} | env
    words = (sys.executable, "-c", COMMAND, NAME, *words)
    return subprocess.Popen(words, cwd=folder, stdout=stdout, stderr=stderr, env=environment)


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"PYTHONIOENCODING": "utf-8"},
        {"LC_ALL": "C"},
        {"LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
    ids=lambda env: ",".join(env.values()),
)
def test_a_console_without_the_letters_shows_what_it_can(tmp_path: Path, env: dict[str, str]) -> None:
    for words, code in (((), 0), (("--fail",), 4)):
        running = start(tmp_path, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **env)
        shown, errors = running.communicate(timeout=60)
        assert running.returncode == code, errors
        assert len(shown.splitlines()) == 3000
        assert b"warning: " in errors
        assert errors.count(b"100 % after") == 1
        assert b"Traceback" not in errors
        assert (b"No space left on device: free space" in errors) == bool(code)


@pytest.mark.parametrize("read", [0, 20])
def test_a_reader_that_leaves_ends_nothing(tmp_path: Path, read: int) -> None:
    """As ``| head`` does, and ``2>&1 | head`` in the midst of the progress bar."""
    for both in (False, True):
        running = start(tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT if both else subprocess.PIPE)
        assert running.stdout
        running.stdout.read(read)
        running.stdout.close()
        errors = running.stderr.read() if running.stderr else b""
        assert running.wait(60) == 0, errors
        assert b"BrokenPipe" not in errors
        (tmp_path / "done").unlink()


def test_a_terminal_that_is_gone_ends_nothing(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    running = start(tmp_path, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.read(ours, 1)
    os.close(ours)
    assert running.wait(60) == 0
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["", "unbuffered"])
def test_a_table_begins_below_the_bar(tmp_path: Path, env: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    running = start(tmp_path, stdout=theirs, stderr=theirs, **env)
    os.close(theirs)
    shown = b""
    # What was written last can be read until the other side has closed: then it is an error.
    with contextlib.suppress(OSError):
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert running.wait(60) == 0
    first = next(line for line in shown.split(b"\n") if line.endswith(b"  0\r"))
    assert b"%" not in first


def test_a_full_disk_under_the_output_is_told_and_the_work_stands(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        running = start(tmp_path, stdout=full, stderr=subprocess.PIPE)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 0
    assert errors.count(b"warning: standard output is lost: No space left on device") == 1


@pytest.mark.parametrize("redirected", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_end_nothing(tmp_path: Path, redirected: str) -> None:
    script = tmp_path / "tool.py"
    script.write_text(COMMAND)
    line = f"{sys.executable} {script} name {redirected}"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    run = subprocess.run(
        ["/bin/sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "done").exists()


COMMANDS = {
    "prep": ["align", "--root", NAME, "--out", "o"],
    "train": ["--shards", NAME, "--init", NAME, "--out", "o"],
    "track": ["--weights", NAME, "--dataset", "tir_sequences", "--root", NAME, "--out", "o"],
    "evaluate": ["--dataset", "tir_sequences", "--annotations", NAME, "--results", f"a={NAME}", "--out", "o"],
}


@pytest.mark.parametrize("command", ["prep", "train", pytest.param("track", marks=pytest.mark.slow), "evaluate"])
@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp1252", marks=pytest.mark.slow)])
def test_every_command_tells_an_error_in_one_line(tmp_path: Path, command: str, encoding: str) -> None:
    code = f"from cmd_tir import {command}; {command}()"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": encoding}
    run = subprocess.run(
        [sys.executable, "-c", code, *COMMANDS[command]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert run.returncode in (2, 3), run.stderr
    *before, error = run.stderr.splitlines()
    assert error.startswith(b"error: ")
    assert before in ([], [b"c1: reading shards"])
    assert b"Unicode" not in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_a_library_says_to_standard_error_can_be_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before\n")
    with console.hushed():
        os.write(2, b"meanwhile\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"
