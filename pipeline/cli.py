"""cmd-prep: parse, call, map errors to exit codes; nothing else. Stages are imported when they are called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from pipeline.commands.doctor import doctor
from pipeline.registries import DETECTORS, METHODS
from pipeline.runtime.command import Command, print_table
from pipeline.runtime.options import (
    ANY,
    FILE,
    FOLDER,
    ChoiceType,
    FractionType,
    NamesType,
    NumbersType,
    anywhere,
    common,
    typed,
)
from pipeline.runtime.options import resources as parse_resources
from pipeline.runtime.options import settings as parse_settings
from pipeline.runtime.ratios import FELL_BACK, REJECTED, check_ratio


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cmd-tir", prog_name="cmd-prep")
def main() -> None:
    """Prepare unlabelled RGB-TIR pairs for cross-modal distillation: align, mine, look."""


@main.command()
@click.option("--root", type=FOLDER, required=True, help="The data set's folder.")
@click.option("--out", type=FOLDER, required=True, help="Folder for aligned.jsonl, rejects.jsonl, report.html.")
@click.option(
    "--manifest",
    metavar="NAME|FILE",
    show_default="auto: recognise the layout",
    help="How the data set lies on disk; `cmd-prep manifests` lists those that ship.",
)
@click.option("--layout", metavar="NAME|FILE", hidden=True, help="The name of --manifest in version 0.1.")
@click.option(
    "--model",
    type=click.Choice(["auto", "identity", "translation", "similarity", "affine", "homography"]),
    default="auto",
    show_default=True,
    help="Family of TIR -> RGB matrices.",
)
@click.option(
    "--estimate",
    type=click.Choice(["pair", "sequence"]),
    show_default="as the manifest says",
    help="A matrix for every pair, or one for every camera.",
)
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="Reject below it; 0 keeps every pair that decodes, with its best estimate.",
)
@click.option(
    "--tir-range",
    type=NumbersType(float, 2),
    metavar="LOW,HIGH",
    show_default="as the manifest says",
    help="Raw values of 16-bit TIR that become 0 and 255.",
)
@click.option("--homographies", type=FILE, help="Known matrices: the homographies.json of an earlier align.")
@click.option("--write-images", is_flag=True, help="Also write the aligned pictures under OUT/images.")
@click.option("--preview", type=click.IntRange(0), default=0, metavar="N", help="Only N pairs, into OUT/preview.")
@common
def align(manifest: str | None, layout: str | None, max_reject_ratio: float, **options: Any) -> None:
    """Find the pairs, register TIR to RGB, score every pair, reject the bad ones with a reason."""
    from pipeline import align as stage
    from pipeline.config import refuse_idle
    from pipeline.errors import UsageError

    if manifest is not None and layout is not None:
        raise UsageError(f"--manifest {manifest} and --layout {layout} are one setting: give --manifest alone")
    chosen = next((name for name in (manifest, layout) if name is not None), "auto")
    config = stage.AlignConfig(manifest=chosen, **anywhere(options))
    refuse_idle(typed(), config.without_effect())
    result = stage.run(config)
    rows: list[tuple[object, ...]] = [("pairs in", result.pairs_in), ("aligned", result.aligned)]
    rows += [(f"rejected: {reason}", count) for reason, count in result.reasons.items()]
    rows += [(f"flagged: {flag}", count) for flag, count in result.flags.items()]
    rows += [("note", note) for note in result.notes]
    rows += [("layout", f"{result.manifest} ({result.layout_reason})"), ("report", result.page)]
    print_table(rows)
    check_ratio(result.rejected_ratio, max_reject_ratio, REJECTED)


@main.command()
@click.option("--aligned", type=FOLDER, required=True, help="Folder that `cmd-prep align` wrote.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the shards.")
@click.option("--method", type=ChoiceType(METHODS), required=True)
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A setting of a method of one's own.")
@click.option("--detector", type=ChoiceType(DETECTORS), default="yolo", show_default=True)
@click.option("--weights", type=FILE, help="The detector's weights file; nothing is ever downloaded.")
@click.option("--detector-config", metavar="NAME|FILE", help="detectron2 configuration.")
@click.option(
    "--backend",
    type=click.Choice(["auto", "torchvision", "detectron2"]),
    default="auto",
    show_default=True,
    help="Which Faster R-CNN.",
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
    default="1/3",
    show_default=True,
    help="Side of the centre square as a share of the short side.",
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
@click.option("--root", type=FOLDER, help="The data set's folder, if it has moved since align.")
@click.option("--worker-resources", metavar="NAME=N", help="Dask resources one task needs, e.g. GPU=1.")
@click.option("--quick", is_flag=True, help="Keep finished shards by their size, without reading them.")
@common
@click.option("--seed", type=int, default=0, show_default=True)
def mine(
    max_reject_ratio: float,
    max_fallback_ratio: float,
    worker_resources: str | None,
    given: tuple[str, ...],
    **options: Any,
) -> None:
    """Cut paired patches from aligned pairs and write them as HDF5 shards."""
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
    rows += [(name if "class" in name else f"class {name}", n) for name, n in result.named_classes.items()]
    rows += [(f"rejected: {reason}", count) for reason, count in result.rejects.items()]
    rows += [("bytes", f"{result.bytes:,}"), ("seconds", f"{result.seconds:.1f}"), ("shards", config.out)]
    print_table(rows)
    check_ratio(result.rejected_ratio, max_reject_ratio, REJECTED)
    check_ratio(result.fallback_ratio, max_fallback_ratio, FELL_BACK)


@main.command()
@click.argument("shards", type=FOLDER)
@click.option("--deep", is_flag=True, help="Also derive boxes, states, labels, patches again from the pairs.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores")
@click.option(
    "--method",
    metavar="MODULE:NAME",
    help="The method of one's own that made them; --deep may import it.",
)
def verify(shards: Path, deep: bool, workers: int, method: str | None) -> None:
    """Check a folder of shards: hashes, shapes, ranges; every fault is named."""
    from pipeline.errors import DataError, UsageError
    from pipeline.mine.rederive import not_rederived, rederiver
    from pipeline.shards.verify import verify as check

    if method and not deep:
        raise UsageError(f"--method {method} is for --deep: add --deep")
    result = check(shards, deep=rederiver(shards, method) if deep else None, workers=workers)
    for fault in result.faults:
        click.echo(f"fault: {fault}")
    if result.faults:
        raise DataError(f"{shards}: {len(result.faults)} faults in {result.shards} shards: {result.cure}")
    left = not_rederived(result, method) if deep else ""
    click.echo(f"{shards}: {result.shards} shards, {result.pairs} pairs, {result.patches} patches: sound{left}")


@main.command()
@click.argument("folder", type=FOLDER)
def inspect(folder: Path) -> None:
    """Print a table of what a folder of shards or aligned pairs holds."""
    from pipeline import report

    print_table(report.overview(folder))


@main.command("report")
@click.argument("folder", type=FOLDER)
@click.option("--out", type=FILE, required=True, help="HTML file to write.")
@click.option("--root", type=FOLDER, help="The data set's folder, if it has moved since align.")
@click.option("--samples", type=click.IntRange(1), default=12, show_default=True, help="Pairs to draw.")
def report_page(folder: Path, out: Path, root: Path | None, samples: int) -> None:
    """Write one self-contained HTML page about a folder of shards or aligned pairs."""
    from pipeline import report

    click.echo(report.write(folder, out, root=root, samples=samples))


@main.command()
def manifests() -> None:
    """List the data sets that align knows, with licence and counts."""
    from pipeline.manifests import shipped

    rows: list[tuple[object, ...]] = [("manifest", "data set", "kind", "count", "licence")]
    for manifest in shipped():
        count = manifest.expected() or len(manifest.evaluated()) or "-"
        rows.append((manifest.name, manifest.title, manifest.kind, count, manifest.licence))
    print_table(rows)


@main.command()
@click.option("--out", type=FOLDER, required=True, help="Folder to make.")
@click.option("--sequences", type=click.IntRange(0), default=4, show_default=True, help="RGB-TIR sequences.")
@click.option("--frames", type=click.IntRange(1), default=24, show_default=True, help="Pairs a sequence.")
@click.option("--tracking", type=click.IntRange(0), default=4, show_default=True, help="TIR tracking sequences.")
@click.option("--tracking-frames", type=click.IntRange(2), default=60, show_default=True)
@click.option("--size", type=NumbersType(int, 2), default="640,512", show_default=True, metavar="W,H")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores")
@click.option("--overwrite", is_flag=True, help="Write into a folder that is not empty.")
def synth(**options: Any) -> None:
    """Make synthetic RGB-TIR sequences with known truth, and TIR tracking sequences."""
    from pipeline import synthetic
    from pipeline.config import refuse_idle

    config = synthetic.SynthConfig(**options)
    refuse_idle(typed(), config.without_effect())
    print_table(list(synthetic.run(config).items()))


main.add_command(doctor)
