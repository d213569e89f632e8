"""``cmd-train study``: does distillation help, and is it the pairs?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from pipeline.runtime.asked.subcommand import Subcommand
from pipeline.runtime.command import print_result, print_table, telling
from pipeline.runtime.option_types import NameOrFile
from pipeline.runtime.options import ANY, FILE, FOLDER, on_existing
from trainer.commands.options import TRACKER_NAMES, HoursType


@click.command(cls=Subcommand, example="cmd-train study --preset quick --init resnet18.pth --out study")
@click.option("--out", type=FOLDER, required=True, metavar="STUDY", help="The study's folder.")
@click.option("--tracker", type=TRACKER_NAMES, default="dimp18", show_default=True, help="Base tracker.")
@click.option(
    "--init",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    metavar="FILE",
    help="What the teacher starts from: a torchvision ResNet, or released weights.",
)
@click.option(
    "--preset",
    type=click.Choice(["quick", "laptop", "full", "toy"]),
    default="quick",
    show_default=True,
    metavar="[quick|laptop|full]",
    help="An hour of one core for a first look, a day of a laptop for a verdict, or a GPU.",
)
@click.option("--seeds", type=click.IntRange(1), show_default="the preset's, 1 or 3", help="Students of each kind.")
@click.option("--budget", type=HoursType(), help="CPU-hours at most; what is left out is told.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores")
@click.option(
    "--pairs",
    type=FOLDER,
    multiple=True,
    metavar="ALIGNED",
    help="Real pairs, as `cmd-prep align` wrote them; repeated, all of them.",
)
@click.option("--test", type=FOLDER, metavar="SEQUENCES", help="Real TIR sequences with truth.")
@click.option(
    "--patches",
    type=click.Choice(["center", "detection"]),
    show_default="center, of real pairs detection",
    help="Patches of the whole chain.",
)
@click.option(
    "--select",
    type=NameOrFile("NAMES|FILE"),
    show_default="a tenth of the scenes",
    help="Of --test, sequences to choose rates on, which are not tested on then: A,B or walker_*, or one a line.",
)
@click.option(
    "--clips",
    type=FILE,
    metavar="FILE",
    show_default="each is its own",
    help="Lines SEQUENCE,CLIP: what of --test is of one recording, by which intervals draw.",
)
@click.option("--weights", type=FILE, metavar="FILE", help="YOLO detector for the detection patches of --pairs.")
@click.option("--detections", type=ANY, metavar="PATH", help="Boxes in files for them instead.")
@on_existing("a study that the folder holds already")
@click.option("--dry-run", is_flag=True, help="Print the plan, write nothing.")
@telling
def study(dry_run: bool, **options: Any) -> None:
    """Judge whether distillation helps, by rules fixed beforehand.

    Students and controls are trained, and tested on scenes never seen.
    Without --pairs and --test, all data are made from a seed. The same command again goes on after an interruption.
    """
    from trainer.study import StudyConfig, plan_study, run_study

    config = StudyConfig.model_validate(options)
    plan = plan_study(config)
    if dry_run:
        print_result(plan, plan.rows())
        return
    print_table(plan.rows())
    studied = run_study(config, plan)
    print_result(studied, studied.rows())
