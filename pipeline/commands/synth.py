"""``cmd-prep synth``: synthetic data."""

from __future__ import annotations

import os
from typing import Any

import click

from pipeline.runtime.asked.subcommand import Subcommand
from pipeline.runtime.command import print_result, telling
from pipeline.runtime.option_types import NumbersType
from pipeline.runtime.options import FOLDER, typed


@click.command(cls=Subcommand, example="cmd-prep synth --sequences 16 --seed 6 --out data")
@click.option("--out", type=FOLDER, required=True, help="Folder to make.")
@click.option("--sequences", type=click.IntRange(0), default=4, show_default=True, help="RGB-TIR sequences.")
@click.option("--frames", type=click.IntRange(1), default=24, show_default=True, help="Pairs a sequence.")
@click.option("--tracking", type=click.IntRange(0), default=4, show_default=True, help="TIR tracking sequences.")
@click.option("--tracking-frames", type=click.IntRange(2), default=60, show_default=True)
@click.option("--tracking-rgb", is_flag=True, help="The same sequences in RGB too, box by box: tracking_rgb/.")
@click.option("--size", type=NumbersType(int, 2), default="640,512", show_default=True, metavar="W,H")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores")
@click.option("--overwrite", is_flag=True, help="Write into a folder that is not empty.")
@telling
def synth(**options: Any) -> None:
    """Make synthetic RGB-TIR data with known truth.

    RGB-TIR sequences to learn from, and TIR sequences to track.
    """
    from pipeline import synthetic
    from pipeline.config import refuse_idle
    from pipeline.pages.settings_table import flat

    config = synthetic.SynthConfig(**options)
    refuse_idle(typed(), config.without_effect())
    made = synthetic.run(config)
    print_result(made, [(name, flat(value)) for name, value in made.items() if name != "files"])
