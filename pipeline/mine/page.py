"""The shards report: paired patches with pseudo box and label on them, and statistics of the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from pipeline.detect.classes import NO_CLASS, counts_by_name, numbered
from pipeline.mine.patch_strips import NOTE, strip
from pipeline.mine.tube_page import tube_sections
from pipeline.pages import html
from pipeline.pages.settings_table import settings_section
from pipeline.shards.index import ShardEntry, ShardIndex, load_index
from pipeline.shards.reader import ShardReader

Array = np.ndarray[Any, Any]


def build(folder: Path, samples: int = html.SAMPLES) -> str:
    """The page for a folder of shards."""
    index = load_index(folder)
    readers = [ShardReader(folder / entry.file) for entry in index.shards if entry.patches]
    boxes = [_boxes(reader) for reader in readers]
    totals = index.totals
    facts: list[tuple[str, object]] = [
        ("pairs stored", f"{totals['pairs']:,}"),
        ("patches", f"{totals['patches']:,}"),
        *([("patches with an object's id", f"{totals['tracked']:,}")] if totals.get("tracked") else []),
        ("shards", len(index.shards)),
        ("megabytes", f"{totals['bytes'] / 1e6:,.1f}"),
        ("method", index.method),
    ]
    sections = [_statistics(index, np.concatenate(boxes) if boxes else np.zeros((0, 4)))]
    sections.append(_patches(readers, [len(each) for each in boxes], index, samples))
    sections += tube_sections(readers, index)
    sections.append(_entries(index.shards))
    settings = {key: value for key, value in settings_of(index).items() if key != "method"}
    sections.append(settings_section(settings | index.source))
    return html.render(f"Shards mined by {index.method}", f"Of pairs in {index.source.get('root')}.", facts, sections)


def _boxes(reader: ShardReader) -> Array:
    with closing(reader):
        return reader.array("patches/box")


def named(index: ShardIndex) -> dict[str, int]:
    """Patches by the name of their class."""
    return counts_by_name(index.totals["classes"], index.class_names, index.totals.get("fallbacks", 0))


def settings_of(index: ShardIndex) -> dict[str, Any]:
    """The settings of shards, classes by name beside their number."""
    classes: Sequence[int | str] = index.settings.get("classes") or ()
    # What COCO does not have was asked for by its name.
    known = [each if isinstance(each, str) else numbered(each, index.class_names) for each in classes]
    told = {"classes": known} if known else {}
    return {**index.settings, **told}


def _statistics(index: ShardIndex, box: Array) -> html.Section:
    plots = []
    if len(box):
        plots.append(html.histogram(np.sqrt(box[:, 2] * box[:, 3]), "box size sqrt(w h), px"))
        plots.append(_positions(box))
    note = "How large the pseudo boxes are, and where they lie"
    classes = named(index)
    # Of boxes that nobody called anything there is nothing to tell.
    if set(classes) - {NO_CLASS}:
        plots.append(html.bars(classes, "patches"))
        note += "; what they were called"
    if index.totals["rejects"]:
        plots.append(html.bars(index.totals["rejects"], "rejected"))
        note += "; and what was left out"
    return html.Section("Boxes", f"{note}.", plots=plots)


def _positions(box: Array) -> Markup:
    """A map of box centres in stored-picture pixels, in a palette that rises in grey and for the colour-blind."""
    from matplotlib.ticker import MaxNLocator

    drawn = html.figure()
    axes = drawn.add_subplot()
    x, y = (box[:, :2] + box[:, 2:] / 2).T
    across, down = (box[:, :2] + box[:, 2:]).max(axis=0)
    extent = (0, across, 0, down)
    cells = axes.hexbin(
        x, y, gridsize=24, extent=extent, mincnt=1, cmap="cividis_r", linewidths=0.4, edgecolors=html.INK
    )
    drawn.colorbar(cells, label="boxes", ticks=MaxNLocator(integer=True))
    axes.set(xlabel="centre x, px", ylabel="centre y, px", aspect="equal", xlim=(0, across), ylim=(down, 0))
    return html.svg(drawn)


def _patches(readers: list[ShardReader], counts: Sequence[int], index: ShardIndex, samples: int) -> html.Section:
    starts = np.cumsum([0, *counts])
    picks = np.unique(np.linspace(0, starts[-1] - 1, min(samples, int(starts[-1]))).round().astype(int))
    strips = []
    for pick in picks:
        shard = int(np.searchsorted(starts, pick, side="right")) - 1
        with closing(readers[shard]) as reader:
            strips.append(strip(reader, int(pick - starts[shard]), index.class_names))
    return html.Section("Patches", NOTE, strips=strips)


def _entries(shards: tuple[ShardEntry, ...], limit: int = 200) -> html.Section:
    rows = [(s.file, s.pairs, s.patches, f"{s.bytes:,}", s.sha256) for s in shards[:limit]]
    note = f"The first {limit} of {len(shards)}." if len(shards) > limit else ""
    return html.Section("Files", note, table=[("file", "pairs", "patches", "bytes", "sha256"), *rows])
