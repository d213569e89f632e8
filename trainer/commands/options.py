"""Options that the commands of the trainer share."""

from __future__ import annotations

from typing import Any

import click

from trainer.base_trackers import BASE_TRACKERS, base_tracker


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
