"""``cmd-prep doctor``: a look at a data set before it is aligned."""

from __future__ import annotations

import os
from typing import Any

import click

from pipeline.runtime.asked.subcommand import Subcommand
from pipeline.runtime.command import print_result, telling
from pipeline.runtime.option_types import NAME_OR_FILE
from pipeline.runtime.options import ANY, FOLDER


@click.command(cls=Subcommand, example="cmd-prep doctor KAIST")
@click.argument("root", type=FOLDER)
@click.option("--manifest", type=NAME_OR_FILE, default="auto", show_default=True, help="As for align.")
@click.option("--detections", type=ANY, help="Boxes from files, as for mine: whose are they?")
@click.option("--pairs", type=click.IntRange(0), default=0, metavar="N", help="Look at N pairs only; 0: all.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores")
@telling
def doctor(**options: Any) -> None:
    """Look through a data set before anybody waits for it.

    Layout, pictures, labels; nothing is written. Lines marked with ! are worth a look, and the exit code is 1 where
    there are any.
    """
    from pipeline import doctor as stage
    from pipeline.errors import AmissError

    result = stage.run(stage.DoctorConfig(**options))
    print_result(result, [("!" if line.amiss else " ", line.check, line.found) for line in result.lines])
    if result.amiss:
        count = f"lines marked with ! are worth a look ({result.amiss})"
        raise AmissError(f"{options['root']}: {count}; nothing was written")
