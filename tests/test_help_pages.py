"""Help pages: an example that can be typed ends each, many options stand in groups, training's stand in cmd-train's."""

from __future__ import annotations

import shlex

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from pipeline.commands.mine import GROUPS

from .conftest import done
from .test_config_files import COMMANDS, SCRIPTS, leaf


def page(script: str, *words: str) -> str:
    return done(CliRunner().invoke(SCRIPTS[script], [*words, "--help"]))


@pytest.mark.parametrize(("script", "name"), [*COMMANDS, ("cmd-prep", ""), ("cmd-train", "")])
def test_an_example_that_parses_ends_the_page(script: str, name: str) -> None:
    told, _, example = page(script, *([name] if name else [])).rpartition("Example:\n")
    assert told
    for line in example.strip().splitlines():
        first, *words = shlex.split(line)
        assert first == script
        sub = words.pop(0) if isinstance(SCRIPTS[script], click.Group) and not words[0].startswith("-") else ""
        command = leaf(script, sub or "train") if isinstance(SCRIPTS[script], click.Group) else SCRIPTS[script]
        if name:
            assert (sub or name) == name
        known = {option for param in command.params for option in param.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_options_of_mining_stand_in_groups_each_once() -> None:
    told = page("cmd-prep", "mine")
    places = [told.index(f"\n{title}:\n") for title in (*GROUPS, "Run")]
    assert places == sorted(places)
    assert told.index("--letterbox") < told.index("\nTubes:\n") < told.index("--max-gap") < told.index("\nRun:\n")
    known = {max(param.opts, key=len).lstrip("-") for param in leaf("cmd-prep", "mine").params}
    named = [name for names in GROUPS.values() for name in names]
    assert len(set(named)) == len(named)
    assert set(named) <= known


def test_the_page_of_training_shows_its_options_and_the_commands() -> None:
    told = page("cmd-train")
    assert told.index("Options of training:") < told.index("--samples-per-epoch") < told.index("\nCommands:\n")
    assert "--list-recipes" in told


def test_the_shell_completes_options_of_training_without_its_name_and_choices_of_mining() -> None:
    def completed(script: str, *words: str, begun: str) -> list[str]:
        found = ShellComplete(SCRIPTS[script], {}, script, "_COMPLETE").get_completions(list(words), begun)
        return [item.value for item in found]

    assert completed("cmd-train", begun="--rec") == ["--recipe"]
    assert completed("cmd-train", begun="two") == ["two-frame"]
    assert completed("cmd-train", "--recipe", "d3", begun="--track") == ["--tracker"]
    assert completed("cmd-prep", "mine", "--letterbox", begun="") == ["square", "rect"]
