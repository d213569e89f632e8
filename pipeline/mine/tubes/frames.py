"""The frames of a segment, read one after the other; no more than a few are in memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import images
from pipeline.mine.methods import PairView
from pipeline.mine.pairs.loading import ROW, ahead, parts, placed
from pipeline.mine.pairs.pictures import rgb
from pipeline.mine.tubes.tube import Frame
from pipeline.pairing.discovery.sources import load_side


def read_frames(
    aligned: Path, root: Path, offsets: NDArray[np.int64], positions: NDArray[np.int64], at_once: int
) -> Iterator[Frame]:
    """Read the visible pictures of some pairs, the next few while these are worked on.

    One that cannot be read is a gap; the shard that its pair belongs to says why.

    Args:
        aligned: ``aligned.jsonl``.
        root: the data set's folder.
        offsets: (n,) where the rows of the pairs start in the file, in the order of time.
        positions: (n,) of the pairs in their sequence.
        at_once: how many are read ahead.
    """
    with aligned.open("rb") as rows, ThreadPoolExecutor(1) as beside:

        def load(part: slice) -> list[Frame]:
            loaded = []
            for offset, position in zip(offsets[part], positions[part]):
                rows.seek(int(offset))
                frame = _load(root, rows.readline(), int(position))
                loaded += [frame] if frame else []
            return loaded

        def begin(part: slice) -> Future[list[Frame]]:
            return beside.submit(load, part)

        for loaded in ahead(map(begin, parts(len(offsets), at_once))):
            yield from loaded


def _load(root: Path, line: bytes, position: int) -> Frame | None:
    row = ROW.validate_json(line)
    try:
        picture = rgb(row, load_side(root, row.rgb), needed=True)
        _, valid = placed(row)
    except (images.UnreadableImageError, cv2.error):
        return None
    return Frame(position, PairView(row.pair_id, row.rgb_size, valid, row, picture))
