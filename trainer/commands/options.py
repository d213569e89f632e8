"""Options that the commands of the trainer share."""

from __future__ import annotations

import click

TRACKER_NAMES = click.Choice(["dimp18", "dimp50", "superdimp", "atom"])
