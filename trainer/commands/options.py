"""Options that the commands of the trainer share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trainer.base_trackers import BASE_TRACKERS, base_tracker

MAX_NAME = 60
"""Longest name; a legend shows half of it."""


class NamedPath(click.ParamType[tuple[str | None, Path]]):
    """A name and what it stands for: ``NAME=PATH``, such as a tracker and the folder of its results.

    Args:
        bare: whether a path without a name is one too, and what is there under the whole word.
    """

    name = "named path"

    def __init__(self, bare: bool = False) -> None:
        self.bare = bare

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str | None, Path]:
        """Parse one value; anything else is a usage error."""
        if isinstance(value, tuple):
            return value
        if self.bare and ("=" not in str(value) or Path(str(value)).exists()):
            return None, Path(str(value))
        name, equals, path = str(value).partition("=")
        if not (equals and name.strip() and path):
            self.fail(f"{value!r} is not NAME=PATH, such as student=results/student", param, ctx)
        if len(name) > MAX_NAME or not name.isprintable():
            self.fail(f"the name {name[:MAX_NAME]!r} is longer than {MAX_NAME} or not printable", param, ctx)
        return name.strip(), Path(path)

    def word(self, value: tuple[str | None, Path]) -> str:
        """What is typed for it, from any folder."""
        name, path = value
        return str(path.absolute()) if name is None else f"{name}={path.absolute()}"


class TrackerType(click.Choice[str]):
    """The name of a base tracker; an unknown one is answered with the nearest."""

    def __init__(self) -> None:
        super().__init__(list(BASE_TRACKERS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check one value; anything else is a usage error."""
        try:
            base_tracker(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


TRACKER_NAMES = TrackerType()


class HoursType(click.ParamType[float]):
    """Hours as people write them: ``6h``, ``90m``, ``1.5h``."""

    name = "hours"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What ``--help`` shows."""
        return "HOURSh"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse one value; anything else is a usage error."""
        text = str(value)
        try:
            hours = float(text[:-1]) / {"h": 1, "m": 60}[text[-1:]]
        except (ValueError, KeyError):
            hours = 0.0
        if not 0 < hours < float("inf"):
            self.fail(f"{value!r} is not a time like 6h or 90m", param, ctx)
        return hours

    def word(self, value: float) -> str:
        """What is typed for it."""
        return f"{value}h"
