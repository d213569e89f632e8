"""What the shards report shows of tubes: some as strips, and how long they are, how they move, what was dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import corners
from pipeline.detect.classes import class_name
from pipeline.pages import drawing, html
from pipeline.shards.index import ShardIndex
from pipeline.shards.reader import ShardReader
from pipeline.shards.tubes import StoredTube, stored_tubes

STRIPS, FRAMES = 10, 8
"""Tubes that are drawn, and frames of each."""
ROOM = 0.75
"""What is drawn around the boxes of a tube, as a share of the largest side."""
WIDTH = 150
"""Of a drawn frame, pixels."""


def tube_sections(readers: Sequence[ShardReader], index: ShardIndex) -> list[html.Section]:
    """The sections about tubes; none where nothing was followed.

    Args:
        readers: of the shards.
        index: of their folder.
    """
    counts = index.totals.get("tubes")
    if not isinstance(counts, Mapping):
        return []
    tubes = list(stored_tubes(readers))
    return [_statistics(tubes, counts), _strips(tubes, readers, index.class_names)]


def _statistics(tubes: Sequence[StoredTube], counts: Mapping[str, Any]) -> html.Section:
    plots = []
    if tubes:
        plots.append(html.histogram(np.array([len(tube) for tube in tubes], np.float64), "boxes of a tube"))
        plots.append(html.histogram(np.concatenate([_motion(tube) for tube in tubes]), MOTION))
        plots.append(html.histogram(np.array([_growth(tube) for tube in tubes]), "largest / smallest size in a tube"))
    if counts["dropped"]:
        plots.append(html.bars(counts["dropped"], "tubes dropped"))
    gaps = counts["gaps"]
    note = (
        f"{counts['count']:,} tubes with {gaps['count']:,} gaps of {gaps['steps']:,} frames in all; {counts['cuts']:,} "
        f"cuts, over which no tube goes; {counts['duplicates']:,} frames that show the one before them once more."
    )
    return html.Section("Tubes", note, plots=plots)


MOTION = "way of the centre from frame to frame, in box sizes"


def _motion(tube: StoredTube) -> NDArray[np.float64]:
    """How far the centre goes from box to box, a step, in units of sqrt(w h)."""
    centres, sizes = tube.boxes[:, :2] + tube.boxes[:, 2:] / 2, np.sqrt(tube.boxes[:, 2] * tube.boxes[:, 3])
    way = np.linalg.norm(np.diff(centres, axis=0), axis=1) / sizes[:-1]
    return np.asarray(way / (tube.missing + 1), np.float64)


def _growth(tube: StoredTube) -> float:
    sizes = np.sqrt(tube.boxes[:, 2] * tube.boxes[:, 3])
    return float(sizes.max() / sizes.min())


def _strips(tubes: list[StoredTube], readers: Sequence[ShardReader], names: Mapping[int, str]) -> html.Section:
    picks = np.unique(np.linspace(0, len(tubes) - 1, min(STRIPS, len(tubes))).round().astype(int))
    note = f"Up to {FRAMES} frames of each, RGB above TIR, with the tube's box; below them the frame and its score."
    return html.Section("Tubes as strips", note, strips=[_strip(tubes[pick], readers, names) for pick in picks])


def _strip(tube: StoredTube, readers: Sequence[ShardReader], names: Mapping[int, str]) -> html.Strip:
    chosen = np.unique(np.linspace(0, len(tube) - 1, min(FRAMES, len(tube))).round().astype(int))
    low, high = tube.boxes[:, :2].min(axis=0), (tube.boxes[:, :2] + tube.boxes[:, 2:]).max(axis=0)
    room = ROOM * tube.boxes[:, 2:].max()
    pictures = []
    for row in chosen.tolist():
        shard, patch = tube.rows[row].tolist()
        with closing(readers[shard]) as reader:
            pair = int(reader.array("patches/pair")[patch])
            score = float(reader.array("patches/score")[patch])
            both = [reader.rgb(pair), drawing.thermal(reader.tir(pair))]
        framed = [
            _part(drawing.outline(each, corners(tube.boxes[row]), edged=True), low - room, high + room) for each in both
        ]
        uri = html.picture_uri(np.concatenate([drawing.fit_width(each, WIDTH) for each in framed]))
        pictures.append(html.Picture(uri, f"{tube.frames[row]}: {score:.2f}"))
    what = class_name(int(tube.classes[0]), names)
    gaps = int((tube.missing > 0).sum())
    frames = f"{len(tube)} boxes in frames {tube.frames[0]} to {tube.frames[-1]}, {gaps} gaps"
    return html.Strip(f"{tube.sequence}, tube {tube.number}: {what}, {frames}", pictures)


def _part(picture: NDArray[np.uint8], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.uint8]:
    """What lies between two corners x, y of a picture (h, w, 3)."""
    size = np.array([picture.shape[1], picture.shape[0]])
    left, top = np.clip(np.floor(low), 0, size - 1).astype(int)
    right, bottom = np.clip(np.ceil(high), 1, size).astype(int)
    return picture[top:bottom, left:right]
