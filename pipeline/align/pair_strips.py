"""Pictures of aligned pairs for the align report: how they lie on one another before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import images
from pipeline.boxes import footprint
from pipeline.pages import drawing, html
from pipeline.pairing.discovery.sources import load_side
from pipeline.pairing.registration.residual import residual_field
from pipeline.records import AlignedPair

WIDTH = 320
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def strips(root: Path, rows: Iterable[AlignedPair], *, residual: bool = False) -> Iterator[html.Strip]:
    """One strip of pictures a pair, with ``residual`` also the displacement that is left block by block."""
    for row in rows:
        try:
            yield _strip(root, row, residual)
        except images.UnreadableImageError as error:
            yield html.Strip(f"{row.pair_id}: cannot be drawn: {error}", [])


def _strip(root: Path, row: AlignedPair, residual: bool) -> html.Strip:
    rgb = images.decode_rgb(load_side(root, row.rgb), row.rgb)
    tir = images.decode_tir(load_side(root, row.tir), row.tir, row.tir_range)
    matrix = np.array(row.homography).reshape(3, 3)
    scale = np.diag([row.rgb_size[0] / row.tir_size[0], row.rgb_size[1] / row.tir_size[1], 1.0])
    before, after = (images.warp_to_rgb(tir, m, row.rgb_size) for m in (scale, matrix))
    quad = footprint(matrix, *row.tir_size)
    pictures = {
        "RGB, TIR footprint": drawing.outline(rgb, quad),
        "TIR": drawing.thermal(tir),
        "before": drawing.checkerboard(rgb, before),
        "after": drawing.checkerboard(rgb, after),
        "edges before": drawing.edges(rgb, before),
        "edges after": drawing.edges(rgb, after),
    }
    left = ""
    if residual:
        centres, vectors, weights = residual_field(rgb, tir, matrix)
        pictures["residual, 8 times as long"] = drawing.arrows(rgb, centres, vectors, weights)
        sure = weights > 0.5
        length = np.hypot(*vectors[sure].T)
        left = f", residual {np.median(length):.1f} px (median of {sure.sum()} blocks)" if sure.any() else ""
    shown = [html.Picture(html.picture_uri(drawing.fit_width(p, WIDTH)), name) for name, p in pictures.items()]
    shift = np.hypot(*(quad - footprint(scale, *row.tir_size)).T).mean()
    flags = f", flags {', '.join(row.flags)}" if row.flags else ""
    title = f"{row.pair_id}: score {row.score:.2f}, {row.model}, corners moved {shift:.1f} px{left}{flags}"
    return html.Strip(title, shown)


def representatives(scores: NDArray[np.float64], names: list[str], limit: int) -> list[int]:
    """The pair of median score of each sequence; of at most ``limit`` sequences, spread evenly."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    every = list(rows.values())
    picks = np.unique(np.linspace(0, len(every) - 1, min(limit, len(every))).round().astype(int))
    return [sorted(every[i], key=lambda row: (scores[row], row))[len(every[i]) // 2] for i in picks]
