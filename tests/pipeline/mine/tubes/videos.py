"""Drawn videos: a textured ground under a camera that moves, things that pass over it, and methods that start there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.mine.methods import PairView
from pipeline.mine.tubes.tube import Frame

SIZE = (320, 256)
Grey = NDArray[np.uint8]


def texture(seed: int, size: tuple[int, int] = SIZE, low: float = 60, high: float = 200, fine: float = 2.0) -> Grey:
    """A picture (h, w) of smooth noise."""
    noise = np.random.default_rng(seed).random((size[1], size[0])).astype(np.float32)
    plane = cv2.GaussianBlur(noise, (0, 0), fine)
    plane = np.clip((plane - plane.mean()) / plane.std() / 4 + 0.5, 0, 1)
    return np.asarray(low + (high - low) * plane, np.uint8)


def moved(ground: Grey, scale: float, shift: tuple[float, float]) -> Grey:
    """A picture of the ground (mirrored at its edges) in which point p lies at scale * p + shift, pixel centres."""
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float64)
    seen = cv2.warpAffine(ground, matrix, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.uint8)


def paste(picture: Grey, thing: Grey, left: float, top: float) -> Grey:
    """A copy of the picture with a thing on it, its corner at a place between pixels."""
    matrix = np.array([[1, 0, left], [0, 1, top]], np.float64)
    over = cv2.warpAffine(thing.astype(np.float32), matrix, SIZE)
    mask = cv2.warpAffine(np.ones(thing.shape, np.float32), matrix, SIZE)
    return np.asarray(np.round(picture * (1 - mask) + over), np.uint8)


def frames(pictures: Sequence[Grey], valid: tuple[float, float, float, float] = (0, 0, *SIZE)) -> Iterator[Frame]:
    """The frames of a shot; both cameras see the box ``valid``."""
    x, y, w, h = valid
    quad = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float64)
    for position, picture in enumerate(pictures):
        rgb = np.repeat(picture[..., None], 3, axis=2)
        yield Frame(position, PairView(f"shot/{position}", SIZE, quad, None, rgb))


@dataclass(frozen=True)
class At:
    """A method whose regions start in one box."""

    box: tuple[float, float, float, float]
    regions: int = 1

    def starts(self, pair: PairView) -> Iterator[NDArray[np.float64]]:
        """The box."""
        yield np.array(self.box, np.float64)
