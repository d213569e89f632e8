"""Pictures of aligned pairs for the align report: how they lie on one another before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import images
from pipeline.boxes import footprint
from pipeline.pages import drawing, html
from pipeline.pairing.discovery.sources import load_side
from pipeline.pairing.registration.residual import residual_field
from pipeline.records import AlignedPair, Reject

WIDTH = 320
"""Of the pictures that need not have every pixel."""
CORNER = 80
"""Side of what is shown of each corner, pixels."""
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
    boards = [drawing.checkerboard(rgb, each) for each in (before, after)]
    lines = [drawing.edges(rgb, each) for each in (before, after)]
    pictures: list[html.Picture | html.Change] = [
        _small(drawing.outline(rgb, quad), "RGB, TIR footprint"),
        _small(drawing.thermal(tir), "TIR"),
        _change(boards, "checkerboard", quality=75),
        _change(lines, "edges", quality=55),
        _corners(lines, quad),
    ]
    left = ""
    if residual:
        centres, vectors, weights = residual_field(rgb, tir, matrix)
        pictures.append(_small(drawing.arrows(rgb, centres, vectors, weights), "residual, 8 times as long"))
        sure = weights > 0.5
        length = np.hypot(*vectors[sure].T)
        left = f", residual {np.median(length):.1f} px (median of {sure.sum()} blocks)" if sure.any() else ""
    shift = np.hypot(*(quad - footprint(scale, *row.tir_size)).T).mean()
    flags = f", flags {', '.join(row.flags)}" if row.flags else ""
    title = f"{row.pair_id}: score {row.score:.2f}, {row.model}, corners moved {shift:.1f} px{left}{flags}"
    return html.Strip(title, pictures)


def reject_strips(root: Path, rows: Iterable[Reject], each: int) -> Iterator[html.Strip]:
    """One strip a rejected pair that can be drawn, of each reason the first ``each``."""
    drawn: Counter[str] = Counter()
    for row in rows:
        if row.rgb is None or row.tir is None or drawn[row.reason] == each:
            continue
        try:
            rgb = images.decode_rgb(load_side(root, row.rgb), row.rgb)
            tir = images.decode_tir(load_side(root, row.tir), row.tir)
            scale = np.diag([rgb.shape[1] / tir.shape[1], rgb.shape[0] / tir.shape[0], 1.0])
            lines = drawing.edges(rgb, images.warp_to_rgb(tir, scale, (rgb.shape[1], rgb.shape[0])))
        except (images.UnreadableImageError, cv2.error):
            # What cannot be read or worked on was rejected for that, as the table says.
            continue
        drawn[row.reason] += 1
        pictures = [_small(rgb, "RGB"), _small(drawing.thermal(tir), "TIR"), _small(lines, "edges")]
        yield html.Strip(f"{row.pair_id}: {row.reason}", pictures)


def _small(image: NDArray[np.uint8], caption: str) -> html.Picture:
    return html.Picture(html.picture_uri(drawing.fit_width(image, WIDTH), 75, ".webp"), caption)


def _change(images: Iterable[NDArray[np.uint8]], caption: str, quality: int) -> html.Change:
    """Before and after with every pixel: what is off by one is seen."""
    before, after = (html.picture_uri(image, quality, ".webp") for image in images)
    return html.Change(before, after, caption, wide=True)


def _corners(lines: Iterable[NDArray[np.uint8]], quad: NDArray[np.float64]) -> html.Change:
    """Edges before and after where a matrix errs most, small enough to keep their colours at every pixel."""
    before, after = (html.picture_uri(drawing.at_corners(image, quad, CORNER), 90) for image in lines)
    return html.Change(before, after, "edges at the corners")


def representatives(scores: NDArray[np.float64], names: list[str], limit: int) -> list[int]:
    """The pair of median score of each sequence; of at most ``limit`` sequences, spread evenly."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    every = list(rows.values())
    picks = np.unique(np.linspace(0, len(every) - 1, min(limit, len(every))).round().astype(int))
    return [sorted(every[i], key=lambda row: (scores[row], row))[len(every[i]) // 2] for i in picks]
