"""``cmd-prep export``: the options of an export, and the table it ends with."""

from __future__ import annotations

from typing import Any

import click

from pipeline.runtime.asked.subcommand import Subcommand
from pipeline.runtime.command import print_result, telling
from pipeline.runtime.options import FOLDER, on_existing, typed


@click.command(cls=Subcommand, example="cmd-prep export shards/detection --format coco --out coco")
@click.argument("shards", type=FOLDER)
@click.option(
    "--format",
    type=click.Choice(["coco", "yolo", "folders"]),
    required=True,
    help="COCO JSON, YOLO text, or the pictures and one JSON Lines file.",
)
@click.option("--out", type=FOLDER, required=True, help="Folder for the export.")
@click.option(
    "--unclassed", metavar="NAME", show_default="leave them out", help="The class of boxes that no detector found."
)
@click.option("--scores", is_flag=True, help="End each line of YOLO text with the score.")
@on_existing("an output folder that an earlier run made")
@telling
def export(**options: Any) -> None:
    """Write pairs and boxes of shards for other programs."""
    from pipeline import export as stage
    from pipeline.config import refuse_idle

    config = stage.ExportConfig(**options)
    refuse_idle(typed(), config.without_effect())
    result = stage.run(config)
    rows: list[tuple[object, ...]] = [("pairs", result.pairs), ("boxes", result.boxes)]
    for name, count in result.classes.items():
        number = result.numbers[name]
        rows.append((name if number < 0 else f"class {name} ({number})", count))
    rows += [("left out: no class", result.left_out)] if result.left_out else []
    rows += [("manifest", result.manifest or "not known"), ("licence", result.licence or "not known")]
    rows += [("bytes", f"{result.bytes:,}"), ("seconds", f"{result.seconds:.1f}"), ("export", result.out)]
    print_result(result, rows)
