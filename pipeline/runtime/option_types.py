"""What a word of the command line becomes: a share, a name, numbers, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.plugins import Registry


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


class NamesType(click.ParamType[tuple[str, ...]]):
    """Names joined by commas."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Parse one value."""
        return value if isinstance(value, tuple) else tuple(filter(None, map(str.strip, str(value).split(","))))
