"""cmd-eval: parse, call, map errors to exit codes; nothing else. Loads no torch."""

from __future__ import annotations

from typing import Any

import click

from pipeline.runtime.command import OnlyCommand, print_result, telling
from pipeline.runtime.option_types import NAME_OR_FILE, NamesType
from pipeline.runtime.options import FOLDER, on_existing, typed
from trainer.commands.options import NamedPath


@click.command(
    "cmd-eval",
    cls=OnlyCommand,
    example="cmd-eval --dataset lsotb_tir --annotations LSOTB-TIR --results student=results/student --out report",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="cmd-tir", prog_name="cmd-eval")
@click.option("--dataset", required=True, type=NAME_OR_FILE, help="lsotb_tir, lsotb_tir_paper, ptb_tir, or a manifest.")
@click.option("--annotations", type=FOLDER, help="Ground truth: <sequence>.txt, or the data set's own folders.")
@click.option(
    "--results",
    type=NamedPath(),
    multiple=True,
    metavar="NAME=DIR",
    help="A tracker's name and result files; repeated. The first two are compared frame by frame.",
)
@click.option("--curves", type=FOLDER, help="The LSOTB-TIR toolkit's published curves: a flat folder of .mat files.")
@click.option("--attributes", type=FOLDER, help="Attribute flags: <sequence>.txt.")
@click.option("--sequences", type=NamesType(), default="", metavar="A,B", help="Evaluate only these sequences.")
@click.option("--frames", type=FOLDER, help="The sequences' pictures, to draw boxes on.")
@click.option("--out", type=FOLDER, required=True, help="Folder for report.html, metrics.json, tables and plots.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the bootstrap.")
@on_existing("a report that an earlier run made; anything else is never replaced", "overwrite")
@telling
def main(**options: Any) -> None:
    """One-pass evaluation of TIR trackers, as the benchmarks' toolkits define it."""
    from pipeline.config import refuse_idle
    from trainer.evaluate import EvaluateConfig, run
    from trainer.evaluate.report.tables import LETTERS, percent, titled

    config = EvaluateConfig(**options)
    refuse_idle(typed(), config.without_effect())
    made = run(config)
    evaluation = made.evaluation
    metrics = evaluation.benchmark.metrics
    rows: list[tuple[object, ...]] = [("tracker", *(LETTERS[metric] for metric in metrics))]
    rows += [(titled(t), *(percent(t.score(metric)) for metric in metrics)) for t in evaluation.ranked()]
    print_result(made, rows, [("report", made.report)])
