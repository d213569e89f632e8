"""The command that an error offers: it must be one that exists, and is given back as words to run it by."""

from __future__ import annotations

import shlex

import click

from pipeline import cli
from trainer.commands import evaluate, track, train

SCRIPTS = {"cmd-prep": cli.main, "cmd-train": train.main, "cmd-track": track.main, "cmd-eval": evaluate.main}


def parsed(words: list[str]) -> click.Context:
    """Parse a command without running it; a name, an option or a value that it does not take is an error of click."""
    script, *rest = words
    context = SCRIPTS[script].make_context(script, list(rest))
    while isinstance(context.command, click.Group):
        name, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context


def offered(said: str) -> list[str]:
    """The words behind the last colon of an error, which a shell would make of them."""
    before, _, line = said.strip().rpartition(": cmd-")
    assert before, said
    words = shlex.split(f"cmd-{line}")
    parsed(words)
    return words
