"""``cmd-prep mine``: the options of stage 2, and the table it ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pipeline.registries import DETECTORS, METHODS
from pipeline.runtime.asked.subcommand import AddedOption, Subcommand
from pipeline.runtime.command import print_result, telling
from pipeline.runtime.option_types import NAME_OR_FILE, ChoiceType, FractionType, NamesType
from pipeline.runtime.options import ANY, FILE, FOLDER, anywhere, common, typed
from pipeline.runtime.options import resources as parse_resources
from pipeline.runtime.options import settings as parse_settings
from pipeline.runtime.ratios import FELL_BACK, REJECTED, check_ratio

GROUPS = {
    "Input and output": ("aligned", "root", "out", "patch-size", "warped-format", "pairs-per-shard"),
    "Regions": (
        "method", "set", "patches-per-pair", "fraction", "fraction-of", "center-fraction", "max-overlap", "seed",
    ),
    "Detector": (
        "detector", "weights", "detector-config", "backend", "letterbox", "detections", "confidence", "classes",
        "class-ids", "last-column", "min-size", "max-size", "fallback", "device", "batch-size",
    ),
    "Tubes": ("tubes", "max-gap", "min-length", "max-fb-error"),
}  # fmt: skip
"""What ``--help`` shows together; the rest is how the work runs."""


@click.command(
    cls=Subcommand,
    example="cmd-prep mine --aligned aligned --method detection --weights yolov8n.pt --out shards/detection",
    groups=GROUPS,
    rest="Run",
)
@click.option("--aligned", type=FOLDER, required=True, help="Folder that `cmd-prep align` wrote.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the shards.")
@click.option("--method", type=ChoiceType(METHODS), required=True)
@click.option(
    "--set",
    "given",
    cls=AddedOption,
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of a method of one's own.",
)
@click.option("--detector", type=ChoiceType(DETECTORS), default="yolo", show_default=True)
@click.option("--weights", type=FILE, help="The detector's weights file; nothing is ever downloaded.")
@click.option("--detector-config", type=NAME_OR_FILE, help="detectron2 configuration.")
@click.option(
    "--backend",
    type=click.Choice(["auto", "torchvision", "detectron2"]),
    default="auto",
    show_default=True,
    help="Which Faster R-CNN.",
)
@click.option(
    "--letterbox",
    type=click.Choice(["square", "rect"]),
    default="square",
    show_default=True,
    help="What YOLO pads a picture to: a square, or the smallest rectangle, which is quicker.",
)
@click.option("--detections", type=ANY, help="Boxes for --detector boxes: our JSONL, COCO JSON, a folder of labels.")
@click.option("--confidence", type=click.FloatRange(0, 1), default=0.25, show_default=True)
@click.option(
    "--classes", type=NamesType(), default="", metavar="NAME,NAME", help="Classes to keep, such as person,car."
)
@click.option(
    "--class-ids",
    type=click.Choice(["coco", "index"]),
    show_default="as the file tells",
    help="Class numbers without names in --detections: COCO's 1 to 90, or 0 to 79.",
)
@click.option(
    "--last-column",
    type=click.Choice(["score", "track-id"]),
    show_default="as the files tell",
    help="What stands behind the box in YOLO text.",
)
@click.option("--min-size", type=click.FloatRange(1), default=16, show_default=True, help="Shortest side, pixels.")
@click.option("--max-size", type=click.FloatRange(0), default=0, help="Longest side, pixels; 0 is no limit.")
@click.option(
    "--fallback",
    type=click.Choice(["random", "skip"]),
    default="random",
    show_default=True,
    help="For a pair without detections: a random patch, or nothing.",
)
@click.option(
    "--max-fallback-ratio",
    type=click.FloatRange(0, 1),
    default=1,
    show_default="1: never",
    help="End with exit code 1 above this share of pairs that got a random patch.",
)
@click.option("--device", default="cpu", show_default=True, help="Where the detector runs.")
@click.option("--batch-size", type=click.IntRange(1), default=8, show_default=True, help="Pictures a detector call.")
@click.option("--patches-per-pair", type=click.IntRange(1, 1000), default=5, show_default=True, metavar="K")
@click.option(
    "--patch-size",
    type=click.IntRange(0, 4096),
    default=100,
    show_default=True,
    help="Side of the stored tight patches; 0 leaves them out.",
)
@click.option("--fraction", type=FractionType(), default="1/6", show_default=True, help="Size of a random region.")
@click.option("--fraction-of", type=click.Choice(["side", "area"]), default="side", show_default=True)
@click.option(
    "--center-fraction",
    type=FractionType(),
    default="1/8",
    show_default=True,
    help="Side of the centre square as a share of the short side; above 1/6 the middle gives it away.",
)
@click.option(
    "--max-overlap",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Largest IoU of two random regions.",
)
@click.option(
    "--warped-format",
    type=click.Choice(["jpg", "png"]),
    default="jpg",
    show_default=True,
    help="Encoding of resampled TIR: jpg (quality 95) or png (lossless).",
)
@click.option("--pairs-per-shard", type=click.IntRange(1, 100_000), default=500, show_default=True, metavar="N")
@click.option(
    "--tubes", is_flag=True, help="Follow objects or regions through the frames of video, under one number each."
)
@click.option(
    "--max-gap",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Steps from one box of a tube to the next, at most.",
)
@click.option("--min-length", type=click.IntRange(2, 100_000), default=10, show_default=True, help="Frames of a tube.")
@click.option(
    "--max-fb-error",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.02,
    show_default=True,
    help="How far a region followed there and back may miss, as a share of its side.",
)
@click.option("--root", type=FOLDER, help="The data set's folder, if it has moved since align.")
@click.option("--worker-resources", metavar="NAME=N", help="Dask resources one task needs, e.g. GPU=1.")
@click.option("--quick", is_flag=True, help="Keep finished shards by their size, without reading them.")
@common
@click.option("--seed", type=int, default=0, show_default=True)
@telling
def mine(
    max_reject_ratio: float,
    max_fallback_ratio: float,
    worker_resources: str | None,
    given: tuple[str, ...],
    **options: Any,
) -> None:
    """Cut paired patches from aligned pairs into HDF5 shards."""
    from pipeline import mine as stage
    from pipeline.config import refuse_idle
    from pipeline.mine.effects import without_effect

    resources = parse_resources(worker_resources)
    config = stage.MineConfig(worker_resources=resources, options=parse_settings(given), **anywhere(options))
    refuse_idle(typed(), without_effect(config))
    result = stage.run(config)
    rows: list[tuple[object, ...]] = [("pairs in", result.pairs_in), ("pairs stored", result.pairs)]
    rows += [("patches", result.patches)]
    if result.fallbacks is not None:
        rows += [("fell back to random", f"{result.fallbacks} ({result.fallback_ratio:.0%} of the pairs stored)")]
    rows += [] if result.tubes is None else _tube_rows(result.tubes)
    rows += [(f"class {name}" if name.endswith(")") else name, n) for name, n in result.named_classes.items()]
    rows += [(f"rejected: {reason}", count) for reason, count in result.rejects.items()]
    rows += [("bytes", f"{result.bytes:,}"), ("seconds", f"{result.seconds:.1f}"), ("shards", config.out)]
    rows += [("report", result.page)] if result.page else []
    print_result(result, rows)
    check_ratio(result.rejected_ratio, max_reject_ratio, REJECTED)
    check_ratio(result.fallback_ratio, max_fallback_ratio, FELL_BACK)


def _tube_rows(tubes: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """What the table says of tubes."""
    lengths, gaps = tubes["lengths"], tubes["gaps"]
    spread = "of {shortest} to {longest} boxes, median {median:g}".format(**lengths) if lengths else ""
    rows: list[tuple[object, ...]] = [("tubes", f"{tubes['count']} {spread}".strip())]
    rows += [("gaps in tubes", f"{gaps['count']} ({gaps['steps']} frames)")]
    rows += [(f"tubes dropped: {reason}", count) for reason, count in tubes["dropped"].items()]
    return rows + [(what, tubes[what]) for what in ("cuts", "duplicates") if tubes[what]]
