"""``cmd-prep align``: the options of stage 1, and the table it ends with."""

from __future__ import annotations

from typing import Any

import click

from pipeline.runtime.asked.subcommand import Subcommand
from pipeline.runtime.command import print_result, telling
from pipeline.runtime.option_types import NAME_OR_FILE, NumbersType
from pipeline.runtime.options import FILE, FOLDER, anywhere, common, typed
from pipeline.runtime.ratios import REJECTED, check_ratio


@click.command(cls=Subcommand, example="cmd-prep align --root KAIST --out aligned")
@click.option("--root", type=FOLDER, required=True, help="The data set's folder.")
@click.option("--out", type=FOLDER, required=True, help="Folder for aligned.jsonl, rejects.jsonl, report.html.")
@click.option(
    "--manifest",
    type=NAME_OR_FILE,
    show_default="auto: recognise the layout",
    help="How the data set lies on disk; `cmd-prep manifests` lists those that ship.",
)
@click.option("--layout", type=NAME_OR_FILE, hidden=True, help="The name of --manifest in version 0.1.")
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
@telling
def align(manifest: str | None, layout: str | None, max_reject_ratio: float, **options: Any) -> None:
    """Register TIR to RGB and score every pair.

    Pairs are found by the data set's manifest; bad ones are rejected with a reason.
    """
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
    rows += [("layout", result.layout_reason), ("report", result.page)]
    print_result(result, rows)
    check_ratio(result.rejected_ratio, max_reject_ratio, REJECTED)
