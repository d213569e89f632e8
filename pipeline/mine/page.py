"""The shards report: paired patches with pseudo box and label on them, and statistics of the boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from pipeline.boxes import corners
from pipeline.detect.classes import class_name, counts_by_name
from pipeline.mine.tube_page import tube_sections
from pipeline.pages import drawing, html
from pipeline.pages.settings_table import settings_section
from pipeline.shards.index import ShardEntry, ShardIndex, load_index
from pipeline.shards.reader import ShardReader
from pipeline.shards.schema import NO_TRACK

Array = np.ndarray[Any, Any]


def build(folder: Path, samples: int) -> str:
    """The page for a folder of shards."""
    index = load_index(folder)
    readers = [ShardReader(folder / entry.file) for entry in index.shards if entry.patches]
    boxes = [_boxes(reader) for reader in readers]
    totals = index.totals
    facts: list[tuple[str, object]] = [
        ("pairs stored", f"{totals['pairs']:,}"),
        ("patches", f"{totals['patches']:,}"),
        *([("patches of known objects", f"{totals['tracked']:,}")] if totals.get("tracked") else []),
        ("shards", len(index.shards)),
        ("megabytes", f"{totals['bytes'] / 1e6:,.1f}"),
        ("method", index.method),
    ]
    sections = [_statistics(index, np.concatenate(boxes) if boxes else np.zeros((0, 4)))]
    sections.append(_patches(readers, [len(each) for each in boxes], index, samples))
    sections += tube_sections(readers, index)
    sections.append(_entries(index.shards))
    settings = {key: value for key, value in index.settings.items() if key != "method"}
    sections.append(settings_section(settings | index.source))
    return html.render(f"Shards mined by {index.method}", f"Of pairs in {index.source.get('root')}.", facts, sections)


def _boxes(reader: ShardReader) -> Array:
    with closing(reader):
        return reader.array("patches/box")


def named(index: ShardIndex) -> dict[str, int]:
    """Patches by the name of their class."""
    return counts_by_name(index.totals["classes"], index.class_names)


def _statistics(index: ShardIndex, box: Array) -> html.Section:
    plots = []
    if len(box):
        plots.append(html.histogram(np.sqrt(box[:, 2] * box[:, 3]), "box size sqrt(w h), px"))
        plots.append(_positions(box))
    classes = named(index)
    if classes:
        plots.append(html.bars(classes, "patches"))
    if index.totals["rejects"]:
        plots.append(html.bars(index.totals["rejects"], "rejected"))
    note = "Where the pseudo boxes lie, how large they are, what the detector called them, and what was left out."
    return html.Section("Boxes, classes, reasons", note, plots=plots)


def _positions(box: Array) -> Markup:
    """A map of box centres in stored-picture pixels."""
    drawn = html.figure()
    axes = drawn.add_subplot()
    x, y = (box[:, :2] + box[:, 2:] / 2).T
    axes.hexbin(x, y, gridsize=32, cmap="inferno_r", mincnt=1, linewidths=0.2)
    edge = (box[:, :2] + box[:, 2:]).max(axis=0)
    axes.set(xlabel="centre x, px", ylabel="centre y, px", aspect="equal", xlim=(0, edge[0]), ylim=(edge[1], 0))
    return html.svg(drawn)


def _patches(readers: list[ShardReader], counts: Sequence[int], index: ShardIndex, samples: int) -> html.Section:
    starts = np.cumsum([0, *counts])
    picks = np.unique(np.linspace(0, starts[-1] - 1, min(samples, int(starts[-1]))).round().astype(int))
    strips = []
    for pick in picks:
        shard = int(np.searchsorted(starts, pick, side="right")) - 1
        with closing(readers[shard]) as reader:
            strips.append(_strip(reader, int(pick - starts[shard]), index.class_names))
    note = (
        "RGB and TIR with the pseudo box (green) and the TIR footprint (orange); the Gaussian label g of the centred "
        "search window; the tight paired patches as stored."
    )
    return html.Section("Patches", note, strips=strips)


def _strip(reader: ShardReader, row: int, names: Mapping[int, str]) -> html.Strip:
    data = reader.file
    pair = int(data["patches/pair"][row])
    box = np.asarray(data["patches/box"][row], np.float64)
    rgb, tir = reader.rgb(pair), drawing.thermal(reader.tir(pair))
    label = np.asarray(data["patches/label"][row], np.float32)
    valid = np.asarray(data["pairs/valid"][pair])
    glow = drawing.label_heat(rgb, box, label, float(data["patches/label"].attrs["window_factor"]))
    framed = {
        name: drawing.outline(drawing.outline(p, valid, drawing.ORANGE), corners(box))
        for name, p in {"RGB": rgb, "TIR in the RGB frame": tir, "Gaussian label g": glow}.items()
    }
    if "patches/rgb" in data:
        framed["tight RGB"] = np.asarray(data["patches/rgb"][row])
        framed["tight TIR"] = drawing.thermal(np.asarray(data["patches/tir"][row]))
    pictures = [html.Picture(html.picture_uri(drawing.fit_width(p, 360)), name) for name, p in framed.items()]
    name = data["pairs/id"][pair].decode()
    what = class_name(int(data["patches/class"][row]), names)
    if "patches/track" in data and (track := int(data["patches/track"][row])) != NO_TRACK:
        what += f" {track}"
    x, y, w, h = box
    title = f"{name}: {what}, score {data['patches/score'][row]:.2f}, box {x:.1f}, {y:.1f}, {w:.1f} x {h:.1f} px"
    return html.Strip(title, pictures)


def _entries(shards: tuple[ShardEntry, ...], limit: int = 200) -> html.Section:
    rows = [(s.file, s.pairs, s.patches, f"{s.bytes:,}", s.sha256) for s in shards[:limit]]
    note = f"The first {limit} of {len(shards)}." if len(shards) > limit else ""
    return html.Section("Files", note, table=[("file", "pairs", "patches", "bytes", "sha256"), *rows])
