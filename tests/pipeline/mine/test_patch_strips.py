"""The pictures of a mined patch: box, surroundings and label lie where they say."""

from __future__ import annotations

import base64
from contextlib import closing
from pathlib import Path

import numpy as np

from pipeline import images
from pipeline.mine.patch_strips import FRAME, WINDOW, strip
from pipeline.pages.html import Picture
from pipeline.shards.reader import ShardReader


def drawn(picture: Picture) -> np.ndarray:
    return images.decode_rgb(base64.b64decode(picture.uri.split(",")[1]), picture.caption)


def test_the_box_stands_in_the_middle_of_its_window_and_at_its_place_in_the_frame(mined: dict[str, Path]) -> None:
    with closing(ShardReader(mined["random"] / "shard-00000.h5")) as reader:
        x, y, w, h = reader.array("patches/box")[0]
        factor = float(reader.file["patches/label"].attrs["window_factor"])
        width = reader.rgb(0).shape[1]
        frame, rgb, tir, label, *tight = strip(reader, 0, {}).pictures
    assert [picture.wide for picture in (frame, rgb, tir, label)] == [False, True, True, False]
    assert [picture.caption for picture in tight] == ["tight RGB", "tight TIR"]
    shown = min(1.0, FRAME / width)
    side = WINDOW / (factor * np.sqrt(w * h))
    for picture, left, right, top, bottom in (
        (frame, *(shown * v for v in (x, x + w, y, y + h))),
        *((p, *(WINDOW / 2 + side * v / 2 for v in (-w, w, -h, h))) for p in (rgb, tir, label)),
    ):
        pixels = drawn(picture).astype(int)
        rows, columns = np.nonzero((pixels[..., 1] > 180) & (pixels[..., 0] < 140) & (pixels[..., 2] < 170))
        middle = ((columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2)
        assert np.allclose(middle, ((left + right) / 2, (top + bottom) / 2), atol=2), picture.caption
        assert abs(columns.max() - columns.min() - (right - left)) <= 7, picture.caption
