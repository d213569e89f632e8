"""``cmd-prep manifests``: the data sets that ship."""

from __future__ import annotations

import click

from pipeline.runtime.command import print_table


@click.command()
def manifests() -> None:
    """List the data sets that align knows, with licence and counts."""
    from pipeline.manifests import shipped

    rows: list[tuple[object, ...]] = [("manifest", "data set", "kind", "count", "licence")]
    for manifest in shipped():
        count = manifest.expected() or len(manifest.evaluated()) or "-"
        rows.append((manifest.name, manifest.title, manifest.kind, count, manifest.licence))
    print_table(rows)
