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
