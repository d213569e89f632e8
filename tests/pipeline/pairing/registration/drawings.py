"""What cameras draw into their pictures: frames, bars, clocks, cross-hairs, logos."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ..scenes import SIZE

Picture = NDArray[np.uint8]
Draw = Callable[[Picture], None]
Pair = tuple[Picture, Picture]
WIDTH, HEIGHT = SIZE


def frame(rng: np.random.Generator) -> Draw:
    value, (top, left, bottom, right) = int(rng.choice([255, 0, 128])), (int(side) for side in rng.integers(15, 60, 4))

    def draw(picture: Picture) -> None:
        picture[:top] = picture[HEIGHT - bottom :] = value
        picture[:, :left] = picture[:, WIDTH - right :] = value

    return draw


def bars(rng: np.random.Generator) -> Draw:
    value, side, upright = int(rng.choice([0, 16, 255])), int(rng.integers(25, 65)), bool(rng.random() < 0.3)

    def draw(picture: Picture) -> None:
        across = picture.swapaxes(0, 1) if upright else picture
        across[:side] = across[-side:] = value

    return draw


def clock(rng: np.random.Generator, text: str = "2023-07-14 12:34:07") -> Draw:
    at, size = (int(rng.integers(5, 60)), int(rng.choice([30, HEIGHT - 12]))), float(rng.uniform(0.6, 1.1))
    value, outlined = int(rng.choice([255, 0])), bool(rng.random() < 0.4)

    def draw(picture: Picture) -> None:
        for ink, width in ((255 - value, 4), (value, 2)) if outlined else ((value, 2),):
            cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, (ink,) * 3, width, cv2.LINE_AA)

    return draw


def cross_hair(rng: np.random.Generator) -> Draw:
    x, y = int(rng.integers(200, 280)), int(rng.integers(160, 220))
    value, width, arm = int(rng.choice([255, 0, 220])), int(rng.integers(1, 5)), int(rng.choice([70, 150, 600]))
    ring = int(rng.integers(30, 110))

    def draw(picture: Picture) -> None:
        cv2.line(picture, (x - arm, y), (x + arm, y), (value,) * 3, width)
        cv2.line(picture, (x, y - arm), (x, y + arm), (value,) * 3, width)
        cv2.circle(picture, (x, y), ring, (value,) * 3, width, cv2.LINE_AA)

    return draw


def logo(rng: np.random.Generator) -> Draw:
    radius, value, opaque = int(rng.integers(25, 60)), int(rng.choice([255, 40])), float(rng.choice([1, 0.6]))
    x, y = int(rng.choice([65, WIDTH - 65])), int(rng.choice([65, HEIGHT - 65]))

    def draw(picture: Picture) -> None:
        over = picture.copy()
        cv2.circle(over, (x, y), radius, (value,) * 3, -1, cv2.LINE_AA)
        cv2.putText(over, "CAM", (x - 20, y + 6), cv2.FONT_HERSHEY_DUPLEX, 0.7, (255 - value,) * 3, 2, cv2.LINE_AA)
        picture[:] = cv2.addWeighted(over, opaque, picture, 1 - opaque, 0)

    return draw


KINDS = {"frame": frame, "bars": bars, "clock": clock, "cross-hair": cross_hair, "logo": logo}


def drawn(picture: Picture, draw: Draw) -> Picture:
    changed = picture.copy()
    draw(changed)
    return changed


def stored(picture: Picture, quality_of_jpeg: int) -> Picture:
    """As it comes back from a file; 0 is a format without loss."""
    if not quality_of_jpeg:
        return picture
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality_of_jpeg])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), dtype=np.uint8)


def both(pair: Pair, draw: Draw, jpeg: int = 0) -> Pair:
    rgb, tir = (stored(drawn(picture, draw), jpeg) for picture in pair)
    return rgb, tir
