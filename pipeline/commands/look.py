"""``cmd-prep verify``, ``inspect`` and ``report``: a look at what the stages wrote."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pipeline.runtime.asked.subcommand import Subcommand
from pipeline.runtime.command import print_table
from pipeline.runtime.options import FILE, FOLDER


@click.command(cls=Subcommand, example="cmd-prep verify shards/center --deep")
@click.argument("shards", type=FOLDER)
@click.option("--deep", is_flag=True, help="Also derive boxes, states, labels, patches again from the pairs.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores")
@click.option(
    "--method",
    metavar="MODULE:NAME",
    help="The method of one's own that made them; --deep may import it.",
)
def verify(shards: Path, deep: bool, workers: int, method: str | None) -> None:
    """Check shards: hashes, shapes, ranges.

    Every fault is named.
    """
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


@click.command(cls=Subcommand, example="cmd-prep inspect shards/center")
@click.argument("folder", type=FOLDER)
def inspect(folder: Path) -> None:
    """Print tables of what a folder of shards or aligned pairs holds."""
    from pipeline import report

    for number, table in enumerate(report.overview(folder)):
        if number:
            click.echo()
        print_table(table)


@click.command("report", cls=Subcommand, example="cmd-prep report shards/center")
@click.argument("folder", type=FOLDER)
@click.option("--out", type=FILE, help="HTML file to write.", show_default="FOLDER/report.html")
@click.option("--root", type=FOLDER, help="The data set's folder, if it has moved since align.")
@click.option("--samples", type=click.IntRange(1), default=12, show_default=True, help="Pairs to draw.")
def report_page(folder: Path, out: Path | None, root: Path | None, samples: int) -> None:
    """Write one HTML page about shards or aligned pairs."""
    from pipeline import report

    click.echo(report.write(folder, out, root=root, samples=samples))
