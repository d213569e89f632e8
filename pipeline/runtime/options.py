"""Options of the commands: what people type, and what it becomes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from pipeline.config import OnExisting

F = TypeVar("F", bound=Callable[..., Any])
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
ANY = click.Path(path_type=Path)
GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)


def on_existing(what: str, default: OnExisting = "resume") -> Callable[[F], F]:
    """The option that says what to do with ``what``."""
    return click.option(
        "--on-existing",
        type=click.Choice(["resume", "overwrite", "fail"]),
        default=default,
        show_default=True,
        help=f"What to do with {what}.",
    )


def common(function: F) -> F:
    """Options that align and mine share."""
    for option in (
        on_existing("an output folder that an earlier run made"),
        click.option(
            "--max-reject-ratio",
            type=click.FloatRange(0, 1),
            default=0.5,
            show_default=True,
            help="End with exit code 1 above this share of rejects.",
        ),
        click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler to run on, instead of local processes."),
        click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores"),
    ):
        function = option(function)
    return function


def anywhere(options: dict[str, Any]) -> dict[str, Any]:
    """The options, with absolute paths and no local workers where a Dask cluster does the work."""
    if not options["scheduler"]:
        return options
    kept = {name: value for name, value in options.items() if name != "workers"}
    return {name: value.absolute() if isinstance(value, Path) else value for name, value in kept.items()}


def resources(text: str | None) -> dict[str, float] | None:
    """Dask worker resources from ``NAME=N``.

    Raises:
        click.BadParameter: it is something else.
    """
    if not text:
        return None
    name, _, amount = text.partition("=")
    try:
        return {name: float(amount or 1)}
    except ValueError:
        raise click.BadParameter(f"{text!r} is not NAME=N, e.g. GPU=1", param_hint="--worker-resources") from None


def settings(words: Sequence[str]) -> dict[str, str]:
    """Settings from ``NAME=VALUE`` words; what a value means is for whoever knows the setting to say.

    Raises:
        click.BadParameter: one is something else.
    """
    for word in words:
        if not word.partition("=")[0].isidentifier() or "=" not in word:
            raise click.BadParameter(f"{word!r} is not NAME=VALUE", param_hint="--set")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def typed() -> set[str]:
    """The options that were given, typed or in a file, by the names of their parameters; a flag that is off is not.

    The others have their defaults.
    """
    context = click.get_current_context()
    given = {name for name, value in context.params.items() if value is not False}
    return {name for name in given if context.get_parameter_source(name) in GIVEN}
