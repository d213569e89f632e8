"""``cmd-prep manifests``: the data sets that ship."""

from __future__ import annotations

import click

from pipeline.runtime.asked.subcommand import Subcommand
from pipeline.runtime.command import print_table


@click.command(cls=Subcommand, example="cmd-prep manifests kaist")
@click.argument("name", required=False)
def manifests(name: str | None) -> None:
    """List the data sets that are known, with licence and counts.

    Of NAME, all that its manifest says.
    """
    from pipeline.manifests import load_manifest, shipped

    rows: list[tuple[object, ...]]
    if name is None:
        rows = [("manifest", "data set", "kind", "count", "licence")]
        for manifest in shipped():
            count = manifest.expected() or len(manifest.evaluated()) or "-"
            rows.append((manifest.name, manifest.title, manifest.kind, count, manifest.licence))
    else:
        rows = []
        for key, value in load_manifest(name).model_dump(mode="json", exclude_unset=True).items():
            several = isinstance(value, dict | list) and value
            rows += [(key, ""), *_members(value)] if several else [(key, "none" if value in (None, {}) else value)]
    print_table(rows)


def _members(value: dict[str, object] | list[object]) -> list[tuple[object, ...]]:
    """A row a member; ``align --manifest NAME:LIST`` takes the lists of a manifest by these names."""
    if isinstance(value, list):
        return [("", each) for each in value]
    return [(f"  {key}", each) for key, each in value.items()]
