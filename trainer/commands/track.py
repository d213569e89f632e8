"""cmd-track: parse, call, map errors to exit codes; nothing else. torch is imported when there is something to do."""

from __future__ import annotations

from typing import Any

import click

from pipeline.runtime.asked.subcommand import AddedOption
from pipeline.runtime.command import OnlyCommand, print_result, telling
from pipeline.runtime.option_types import NAME_OR_FILE, NamesType, NumbersType
from pipeline.runtime.options import ANY, FOLDER, on_existing, typed
from trainer.commands.options import TRACKER_NAMES
from trainer.yardsticks import YARDSTICKS


@click.command(
    "cmd-track",
    cls=OnlyCommand,
    example="cmd-track --weights runs/d3 --dataset lsotb_tir --root LSOTB-TIR --out results/student",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="cmd-tir", prog_name="cmd-track")
@click.option(
    "--weights",
    type=ANY,
    metavar="FILE|RUN",
    help="A run of cmd-train, a checkpoint (.safetensors, .pth, .pth.tar), or either of two .onnx files.",
)
@click.option(
    "--yardstick",
    type=click.Choice(list(YARDSTICKS)),
    help="In place of --weights: the first box, kept, or its grey pixels, sought in each frame.",
)
@click.option("--tracker", type=TRACKER_NAMES, show_default="what the run says", help="Base tracker.")
@click.option(
    "--dataset",
    required=True,
    type=NAME_OR_FILE,
    help="lsotb_tir, lsotb_tir_paper, ptb_tir, tir_sequences, or a manifest: whose layout --root has.",
)
@click.option("--root", type=FOLDER, required=True, help="Folder of the sequences.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the boxes and times of each sequence.")
@click.option(
    "--format",
    type=click.Choice(["plain", "vot", "got10k"]),
    default="plain",
    show_default=True,
    help="Of these files: <sequence>.txt, or as the toolkits of VOT and GOT-10k read them.",
)
@click.option("--sequences", type=NamesType(), default="", metavar="A,B", help="Track only these sequences.")
@click.option("--max-frames", type=click.IntRange(1), metavar="N", help="Track only the first N frames of each.")
@click.option("--workers", type=click.IntRange(1), show_default="all cores; 1 on a GPU", help="Processes.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of torch, in each process.")
@click.option("--device", default="auto", show_default="a GPU where there is one", help="torch device.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bf16"]),
    default="float32",
    show_default=True,
    help="Of the feature maps of DiMP and ATOM; scores and boxes stay in float32.",
)
@click.option(
    "--set",
    "params",
    cls=AddedOption,
    multiple=True,
    metavar="PARAM=VALUE",
    help="Any parameter of the tracker, e.g. iounet_k=1 or rules=opencv; repeated.",
)
@click.option(
    "--tir-range",
    type=NumbersType(float, 2),
    metavar="LO,HI",
    show_default="percentiles of the first frame",
    help="Values of 16-bit TIR that become 0 and 255.",
)
@click.option("--save-frames", is_flag=True, help="Draw the boxes on every frame: OUT/frames/<sequence>/.")
@click.option(
    "--save-video",
    type=click.Choice(["webm", "mp4", "webp"]),
    is_flag=False,
    flag_value="webm",
    help="Likewise as OUT/videos/<sequence>.webm (VP9); mp4: H.264, where OpenCV has an encoder; webp: animated.",
)
@click.option(
    "--modality",
    type=click.Choice(["tir", "rgb"]),
    default="tir",
    show_default=True,
    help="tir refuses sequences in colour, rgb tracks them so.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the tracker's own draws.")
@on_existing("results that an earlier run made")
@telling
def main(**options: Any) -> None:
    """Track one target through each TIR sequence, from its true box in the first frame.

    `cmd-eval` scores what it writes.
    """
    from trainer.track.settings import TrackConfig

    config = TrackConfig(**options)
    config.refuse_idle(typed())
    from trainer.track import run

    tracked = run(config)
    print_result(tracked, tracked.rows())
