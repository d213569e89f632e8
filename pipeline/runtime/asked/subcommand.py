"""A command that does something: what it is asked may stand in a file, and is told to what it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from pipeline.errors import UsageError, did_you_mean
from pipeline.runtime.asked.help_page import HelpPage
from pipeline.runtime.asked.kept import Asked, asking
from pipeline.runtime.options import typed

UNKEPT = frozenset(
    {
        "out",
        "workers",
        "loader-workers",
        "scheduler",
        "worker-resources",
        "on-existing",
        "overwrite",
        "resume",
        "quick",
        "dry-run",
    }
)
"""What belongs to one run, and not to what it makes."""


class Subcommand(HelpPage):
    """A command with ``--config FILE``: keys are names of options, and what is typed wins."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config = click.Option(
            ["--config"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            is_eager=True,
            expose_value=False,
            callback=_read,
            help="Options from a YAML file, such as a config.yaml beside results; what is typed wins.",
        )
        self.params.append(config)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse a line; of a value that a file gives, a fault names the file."""
        ctx.meta[_WORDS] = (*ctx.command_path.split(), *args)
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            name = error.param.name if error.param else None
            if name and ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP:
                raise click.UsageError(f"{ctx.meta[_FILE]}: {error.format_message()}", ctx) from error
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it makes can tell what was asked."""
        given = {_key(param): _words(param, ctx.params[param.name]) for param in self.params if param.name in typed()}
        kept = {key: words for key, words in sorted(given.items()) if key not in UNKEPT and words}
        try:
            with asking(Asked(ctx.command_path, ctx.meta[_WORDS], ctx.params.get("out"), kept)):
                return super().invoke(ctx)
        except UsageError as error:
            if _FILE in ctx.meta:
                raise UsageError(f"{ctx.meta[_FILE]} gives options too: {error}") from error
            raise


class AddedOption(click.Option):
    """An option whose words come after those of ``--config``, not in their place: of one NAME=VALUE the last counts."""

    def consume_value(self, ctx: click.Context, opts: Any) -> tuple[Any, ParameterSource]:
        """The words, each name once."""
        value, source = super().consume_value(ctx, opts)
        if source is ParameterSource.COMMANDLINE:
            words = [*(ctx.lookup_default(self.name) or ()), *value]
            value = list({str(word).partition("=")[0]: word for word in words}.values())
        return value, source


_FILE, _WORDS = f"{__name__}.file", f"{__name__}.words"


def _read(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Take a file's values as defaults."""
    if path is None:
        return
    # Here: a help page waits for no YAML.
    from pipeline.files.yaml_text import parse_yaml

    known = {_key(param): param for param in ctx.command.params if param.expose_value and param.name != "debug"}
    values: dict[str, Any] = {}
    for key, value in parse_yaml(path, str(path)).items():
        if key not in known:
            near = did_you_mean(key, known)
            raise click.UsageError(f"{path}: {ctx.command_path} has no option --{key}: {near}keys are its options")
        values[known[key].name] = _value(known[key], value, f"{path}: {key}")
    ctx.default_map, ctx.meta[_FILE] = values, path


def _value(param: click.Parameter, value: Any, where: str) -> str | list[str]:
    """What a key's value is in the words of the command line.

    Raises:
        click.UsageError: it is no word, nor a list of words where there may be several.
    """
    words = value if isinstance(value, list) else [value]
    if not all(isinstance(word, str) and word for word in words):
        raise click.UsageError(f"{where}: expected a word, or a list of words: give one, or leave the line out")
    if _several(param):
        return words
    if isinstance(value, list) and not getattr(param.type, "joined", False):
        raise click.UsageError(f"{where}: takes one word, not a list")
    return ",".join(words)


def _several(param: click.Parameter) -> bool:
    """Whether a parameter has a list of values."""
    return param.nargs == -1 or (isinstance(param, click.Option) and param.multiple)


def _key(param: click.Parameter) -> str:
    """What a parameter is called in a file: the option without its dashes, an argument in small letters."""
    return max(param.opts, key=len).lstrip("-").replace("_", "-")


def _words(param: click.Parameter, value: Any) -> str | list[str]:
    """A value as it is typed, so that it means the same wherever that is: paths are absolute."""
    return [_word(param.type, each) for each in value] if _several(param) else _word(param.type, value)


def _word(kind: click.ParamType[Any], value: Any) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    return str(value).lower() if isinstance(value, bool) else str(getattr(kind, "word", str)(value))
