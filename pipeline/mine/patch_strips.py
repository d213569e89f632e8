"""Pictures of mined patches for the shards report: where the box lies, what is around it, its label, what is stored."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import corners
from pipeline.detect.classes import class_name
from pipeline.pages import drawing, html
from pipeline.patches import cut
from pipeline.shards.reader import ShardReader
from pipeline.shards.schema import NO_TRACK

NOTE = (
    "Left to right: the RGB picture with the pseudo box (green, black-edged) and the TIR footprint (orange); the "
    "search window about the box in RGB and in TIR, the border repeated beyond the picture; the Gaussian label g of "
    "that window, the lighter the more; the tight paired patches as stored."
)
"""What a strip shows."""
FRAME, WINDOW = 240, 280
"""Width of the drawn frame, side of the drawn search window, pixels."""


def strip(reader: ShardReader, row: int, names: Mapping[int, str]) -> html.Strip:
    """One strip of pictures of a patch.

    Args:
        reader: of the shard, open.
        row: of the patch in it.
        names: of the classes that COCO does not have.
    """
    data = reader.file
    pair = int(data["patches/pair"][row])
    box = np.asarray(data["patches/box"][row], np.float64)
    rgb, tir = reader.rgb(pair), drawing.thermal(reader.tir(pair))
    factor = float(data["patches/label"].attrs["window_factor"])
    window, inside = _window(box, factor)
    whole = drawing.fit_width(rgb, FRAME)
    scale = np.array([whole.shape[1] / rgb.shape[1], whole.shape[0] / rgb.shape[0]])
    whole = drawing.outline(whole, np.asarray(data["pairs/valid"][pair]) * scale, drawing.ORANGE)
    pictures = [
        _picture(drawing.outline(whole, corners(box) * scale, edged=True), "RGB"),
        _picture(drawing.outline(cut(rgb, window, WINDOW), inside, edged=True), "around the box, RGB", wide=True),
        _picture(drawing.outline(cut(tir, window, WINDOW), inside, edged=True), "around the box, TIR", wide=True),
        _picture(drawing.outline(drawing.label_map(data["patches/label"][row], WINDOW), inside, edged=True), "label g"),
    ]
    if "patches/rgb" in data:
        pictures.append(_picture(np.asarray(data["patches/rgb"][row]), "tight RGB"))
        pictures.append(_picture(drawing.thermal(np.asarray(data["patches/tir"][row])), "tight TIR"))
    return html.Strip(f"{data['pairs/id'][pair].decode()}: {_told(reader, row, names)}", pictures)


def _told(reader: ShardReader, row: int, names: Mapping[int, str]) -> str:
    """What is known of a patch: its class and score, where somebody called it something, its object, its box."""
    data = reader.file
    called = int(data["patches/class"][row])
    what = [] if called < 0 else [class_name(called, names), f"score {data['patches/score'][row]:.2f}"]
    if "patches/track" in data and (track := int(data["patches/track"][row])) != NO_TRACK:
        what[:1] = [f"{what[0] if what else 'object'} {track}"]
    x, y, w, h = data["patches/box"][row]
    return ", ".join([*what, f"box {x:.1f}, {y:.1f}, {w:.1f} x {h:.1f} px"])


def _window(box: NDArray[np.float64], factor: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The centred search window of a box as x, y, w, h, and the corners of the box in the drawn window."""
    side = factor * np.sqrt(box[2] * box[3])
    start = box[:2] + box[2:] / 2 - side / 2
    return np.array([*start, side, side]), (corners(box) - start) * (WINDOW / side)


def _picture(image: NDArray[np.uint8], caption: str, *, wide: bool = False) -> html.Picture:
    return html.Picture(html.picture_uri(image), caption, wide=wide)
