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
    from pipeline.plugins import Registry

F = TypeVar("F", bound=Callable[..., Any])
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
ANY = click.Path(path_type=Path)


class FractionType(click.ParamType[float]):
    """A share as people write it: ``1/6`` or ``0.1667``."""

    name = "fraction"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse one value; anything else is a usage error."""
        # Here: it brings decimal numbers along, and a help page waits for neither.
        from fractions import Fraction

        try:
            return float(Fraction(str(value)))
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a fraction like 1/6 or 0.1667", param, ctx)


class ChoiceType(click.ParamType[str]):
    """A name in a registry, or ``package.module:name`` of one's own."""

    name = "choice"

    def __init__(self, choices: Registry) -> None:
        self.choices = choices

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What ``--help`` shows."""
        return f"[{'|'.join(self.choices)}|MODULE:NAME]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check one value; anything else is a usage error that names the nearest."""
        try:
            return self.choices.check(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class NumbersType(click.ParamType[tuple[float, ...]]):
    """Numbers joined by commas."""

    name = "numbers"

    def __init__(self, kind: type[int] | type[float], count: int | None = None) -> None:
        self.kind, self.count = kind, count

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Parse one value; anything else is a usage error."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(self.kind(part) for part in str(value).split(",") if part)
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers joined by commas", param, ctx)
        if self.count is not None and len(numbers) != self.count:
            self.fail(f"{value!r} has {len(numbers)} numbers, expected {self.count}", param, ctx)
        return numbers


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
    """The options that were typed, by the names of their parameters; the others have their defaults."""
    context = click.get_current_context()
    return {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}


class NamesType(click.ParamType[tuple[str, ...]]):
    """Names joined by commas."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Parse one value."""
        return value if isinstance(value, tuple) else tuple(filter(None, map(str.strip, str(value).split(","))))
