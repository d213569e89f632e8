"""``--config`` of every command: what a command keeps of its options gives them again, whatever they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from pipeline import cli
from pipeline.next_command import CONFIG
from pipeline.runtime.asked import keep_settings
from pipeline.runtime.asked.subcommand import UNKEPT, Subcommand
from trainer.commands import evaluate, track, train

from .conftest import told

SCRIPTS = {"cmd-prep": cli.main, "cmd-train": train.main, "cmd-track": track.main, "cmd-eval": evaluate.main}
COMMANDS = [
    (script, name)
    for script, command in SCRIPTS.items()
    for name in (sorted(command.commands) if isinstance(command, click.Group) else [""])
]
ODD = "no: #1 [é, 'x'] \"q\" \\ {} = 0.30"
OPTIONS = {
    "min-size": "16.5",
    "set": "NAME=1e-3: #[x",
    "results": "a b=res,ults",
    "checkpoints": "a b=run 1",
    "worker-resources": "GPU=1",
}
BY_TYPE = {
    "integer range": "7",
    "integer": "7",
    "float range": "0.30",
    "fraction": "1/7",
    "numbers": "3,5",
    "names": "a,b c",
    "hours": "90m",
    "text": ODD,
    "name or file": ODD,
    "choice": "my.module:name",
}


def leaf(script: str, name: str) -> click.Command:
    command = SCRIPTS[script]
    return command.commands[name] if isinstance(command, click.Group) else command


def key(param: click.Parameter) -> str:
    return max(param.opts, key=len).lstrip("-").replace("_", "-")


def value(param: click.Parameter, folder: Path) -> str:
    """An unusual word that a parameter accepts."""
    if key(param) in OPTIONS:
        return OPTIONS[key(param)]
    if isinstance(param.type, click.Choice):
        return list(param.type.choices)[-1]
    if isinstance(param.type, click.Path):
        # Relative, as people type them; some have to be there.
        there = ODD + " file" * param.type.exists
        if param.type.exists:
            (folder / there).touch()
        return there
    return BY_TYPE[param.type.name]


def words(param: click.Parameter, folder: Path) -> list[str]:
    if isinstance(param, click.Argument):
        return [value(param, folder)]
    flag = max(param.opts, key=len)
    return [flag] if isinstance(param, click.Option) and param.is_flag else [flag, value(param, folder)]


def absolute(given: Any) -> Any:
    if isinstance(given, tuple):
        return tuple(map(absolute, given))
    return given.absolute() if isinstance(given, Path) else given


def options(command: click.Command) -> Iterator[click.Parameter]:
    yield from (param for param in command.params if param.expose_value and param.name != "debug")


@pytest.mark.parametrize(("script", "name"), COMMANDS)
def test_every_option_that_is_kept_gives_its_value_again(
    script: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command, seen = leaf(script, name), []

    def record(**given: Any) -> None:
        keep_settings(tmp_path)
        seen.append({name: absolute(each) for name, each in given.items()})

    monkeypatch.setattr(command, "callback", record)
    first = [name] if name else []
    typed = [word for param in options(command) for word in words(param, tmp_path)]
    result = CliRunner().invoke(SCRIPTS[script], [*first, *typed])
    assert result.exit_code == 0, result.output
    kept = (tmp_path / CONFIG).rename(tmp_path / "kept.yaml")
    again = [word for param in options(command) if key(param) in UNKEPT for word in words(param, tmp_path)]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = CliRunner().invoke(SCRIPTS[script], [*first, "--config", str(kept), *again])
    assert result.exit_code == 0, result.output
    out = {param.name for param in command.params if key(param) in UNKEPT}
    one, other = ({name: each for name, each in given.items() if name not in out} for given in seen)
    assert one == other
    assert (tmp_path / CONFIG).read_text() == kept.read_text()


@pytest.mark.parametrize(("script", "name"), COMMANDS)
def test_every_command_takes_a_file_and_names_a_key_that_it_does_not_know(
    script: str, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("bogus: 1\n")
    result = CliRunner().invoke(SCRIPTS[script], [*([name] if name else []), "--config", str(file)])
    told(result, 2, f"{file}: ", "has no option --bogus")
    assert isinstance(leaf(script, name), Subcommand)
