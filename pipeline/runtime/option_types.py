"""What a word of the command line becomes: a share, a name, numbers, names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
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


class NameOrFile(click.ParamType[str]):
    """The name of something that ships, or a file of one's own; which, is told where it is read."""

    name = "name or file"

    def __init__(self, metavar: str = "NAME|FILE") -> None:
        self.metavar = metavar

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What ``--help`` shows."""
        return self.metavar

    def word(self, value: str) -> str:
        """What to type for it from any folder."""
        return str(Path(value).absolute()) if Path(value).suffix and Path(value).is_file() else value


NAME_OR_FILE = NameOrFile()


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


class Joined:
    """What is typed as words with commas between them, and may be a list in a file."""

    joined = True

    def word(self, value: Sequence[object]) -> str:
        """What is typed for it."""
        return ",".join(map(str, value))


class NumbersType(Joined, click.ParamType[tuple[float, ...]]):
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


class NamesType(Joined, click.ParamType[tuple[str, ...]]):
    """Names joined by commas."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Parse one value."""
        return value if isinstance(value, tuple) else tuple(filter(None, map(str.strip, str(value).split(","))))
