"""``cmd-train two-frame``: what any checkpoint finds of a target, up to 30 frames after it was shown."""

from __future__ import annotations

from typing import Any

import click

from pipeline.runtime.asked.subcommand import Subcommand
from pipeline.runtime.command import print_result, telling
from pipeline.runtime.option_types import NAME_OR_FILE, NamesType, NumbersType
from pipeline.runtime.options import ANY, FILE, FOLDER, on_existing, typed
from trainer.commands.options import TRACKER_NAMES, NamedPath


@click.command(
    "two-frame",
    cls=Subcommand,
    example="cmd-train two-frame a1=runs/a1 d3=runs/d3 --sequences SEQUENCES --out found",
)
@click.argument("checkpoints", metavar="[NAME=]CHECKPOINT...", nargs=-1, required=True, type=NamedPath(bare=True))
@click.option("--sequences", type=FOLDER, required=True, metavar="DIR", help="Folder of sequences with truth.")
@click.option("--out", type=ANY, required=True, metavar="FILE|DIR", help="FOUND.json, or a folder of NAME.json.")
@click.option(
    "--dataset",
    default="tir_sequences",
    show_default=True,
    type=NAME_OR_FILE,
    help="Manifest whose layout --sequences has.",
)
@click.option("--only", type=NamesType(), default="", metavar="A,B", help="Measure only these sequences.")
@click.option("--list", "listed", type=FILE, metavar="FILE", help="The same, from a file, a name a line.")
@click.option("--rgb", is_flag=True, help="Of visible sequences; without it those in colour are refused.")
@click.option("--tracker", type=TRACKER_NAMES, show_default="what the run says", help="Base tracker.")
@click.option(
    "--window", type=int, metavar="PX", show_default="what the run learnt in", help="Side of the test window."
)
@click.option(
    "--windows",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="At least; each sequence gets as many as the others.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the windows.")
@click.option(
    "--tir-range",
    type=NumbersType(float, 2),
    metavar="LO,HI",
    show_default="percentiles of the first frame",
    help="Values of 16-bit TIR that become 0 and 255.",
)
@click.option("--feature-cache", type=FOLDER, metavar="DIR", help="Keep the backbones' features here, for other calls.")
@click.option("--device", default="auto", show_default="a GPU where there is one", help="torch device.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of torch.")
@click.option("--pictures", type=FOLDER, metavar="DIR", help="Draw some windows: DIR/NAME/0.png and on.")
@click.option("--show", type=click.IntRange(1), default=4, show_default=True, help="How many.")
@on_existing("figures that an earlier call wrote")
@telling
def two_frame(rgb: bool, **options: Any) -> None:
    """Measure checkpoints on two frames of a video.

    A target is shown at one instant, and to be found up to 30 frames later.
    `cmd-train two-frame RUN --sequences SEQUENCES --out found.json` measures one; `a1=RUN d3=RUN --out FOUND` measures
    several on the same windows, which costs little more.
    """
    from pipeline.config import refuse_idle
    from trainer.two_frame import TwoFrameConfig, run

    config = TwoFrameConfig(**options, modality="rgb" if rgb else "tir")
    refuse_idle(typed(), config.without_effect())
    measured = run(config)
    print_result(measured, measured.rows())
