"""First-frame views: one wide patch of the target, moved, flipped, blurred, scaled and rotated.

A view is a transform of the wide patch, then a cut of the search window's size out of its middle, whose content moved
by ``shift`` (row, column) pixels. Rotation and flip do not move the box that the classifier is taught.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from trainer.trackers.parameters.params import OnlineParams, pair
from trainer.trackers.parameters.values import Augmentation
from trainer.trackers.patch import Vector

Patch = NDArray[np.float32]
"""(H, W, C)."""
Shift = tuple[int, int]


@dataclass(frozen=True)
class View:
    """One view.

    Attributes:
        transform: of the wide patch.
        shift: rows and columns that the content moves by.
        upright: whether the target keeps its box.
    """

    transform: Callable[[Patch], Patch]
    shift: Shift
    upright: bool = True

    def __call__(self, patch: Patch, size: tuple[int, int]) -> Patch:
        """Cut the view of ``size`` (rows, columns) out of the wide patch; beyond it, the border is repeated."""
        image = self.transform(patch)
        rows, columns = (
            (np.arange(out) - math.floor((out - length) / 2) - moved).clip(0, length - 1)
            for out, length, moved in zip(size, image.shape, self.shift)
        )
        cut: Patch = image[rows[:, None], columns]
        return cut


def identity(patch: Patch) -> Patch:
    """The patch as it is."""
    return patch


def flip(patch: Patch) -> Patch:
    """Left for right."""
    return patch[:, ::-1]


def blur(sigma: float | tuple[float, float]) -> Callable[[Patch], Patch]:
    """A Gaussian of ``sigma`` pixels along rows and columns, cut off at 2 sigma, zero beyond the border."""
    vertical, horizontal = (_gaussian(each) for each in pair(sigma))

    def transform(patch: Patch) -> Patch:
        return np.asarray(cv2.sepFilter2D(patch, -1, horizontal, vertical, borderType=cv2.BORDER_CONSTANT), np.float32)

    return transform


def _gaussian(sigma: float) -> NDArray[np.float32]:
    reach = math.ceil(2 * sigma)
    weights = np.exp(-(np.arange(-reach, reach + 1, dtype=np.float32) ** 2) / np.float32(2 * sigma**2))
    return np.asarray(weights / weights.sum(), np.float32)


def scale(factor: float) -> Callable[[Patch], Patch]:
    """Shrink the content by ``factor``; sizes keep their parity, so that the middle stays where it is."""

    def transform(patch: Patch) -> Patch:
        height, width = (new + (new - old) % 2 for old in patch.shape[:2] for new in (round(old / factor),))
        return np.asarray(cv2.resize(patch, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    return transform


def rotate(degrees: float) -> Callable[[Patch], Patch]:
    """Turn the content about the middle; the border is repeated."""
    angle = math.pi * degrees / 180
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])

    def transform(patch: Patch) -> Patch:
        middle = (np.array(patch.shape[:2])[:, None] - 1) / 2
        matrix = np.concatenate([turn, middle - turn @ middle], axis=1)
        size = (patch.shape[1], patch.shape[0])
        return np.asarray(cv2.warpAffine(patch, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.float32)

    return transform


def views(params: OnlineParams, size: Vector, generator: torch.Generator, offset: Vector | None = None) -> list[View]:
    """The views of the first frame, the untouched one first.

    Args:
        params: which ones.
        size: (2,) rows and columns of the search window.
        generator: of the random shifts, drawn in the order of the views.
        offset: (2,) shift of all views, for windows that were moved inside the image.
    """
    base = np.zeros(2, np.float32) if offset is None else offset
    wanted = params.augmentation if params.use_augmentation else Augmentation()

    def fixed(rows: float, columns: float) -> Shift:
        return _whole(base)[0] + int(rows), _whole(base)[1] + int(columns)

    def random() -> Shift:
        if not params.random_shift_factor > 0:
            return 0, 0
        draw = torch.rand(2, generator=generator).numpy() - np.float32(0.5)
        return _whole(draw * size * np.float32(params.random_shift_factor) + base)

    def rest() -> Iterator[View]:
        for rows, columns in wanted.shift:
            yield View(identity, fixed(rows, columns))
        for shift in wanted.relativeshift:
            yield View(identity, fixed(*(np.asarray(shift, np.float32) * size / 2)))
        if wanted.fliplr:
            yield View(flip, random())
        for sigma in wanted.blur:
            yield View(blur(sigma), random())
        for factor in wanted.scale:
            yield View(scale(factor), random(), upright=False)
        for degrees in wanted.rotate:
            yield View(rotate(degrees), random(), upright=False)

    return [View(identity, fixed(0, 0)), *rest()]


def _whole(shift: Vector) -> Shift:
    """Towards zero."""
    return int(shift[0]), int(shift[1])


def wide_size(params: OnlineParams, size: Vector) -> Vector:
    """(2,) rows and columns of the patch that views are cut from: as even or odd as ``size``."""
    factor = params.augmentation_expansion_factor
    if factor is None:
        return size
    wide = np.trunc(size * np.float32(factor))
    return np.asarray(wide + (wide - np.trunc(size)) % 2, np.float32)


def with_dropout(features: torch.Tensor, params: OnlineParams, generator: torch.Generator) -> torch.Tensor:
    """Append copies of the first view's features (n, C, h, w) in which channels are switched off at random."""
    count, probability = params.augmentation.dropout
    if not (params.use_augmentation and count):
        return features
    keep = torch.empty(count, features.shape[1], 1, 1).bernoulli_(1 - probability, generator=generator)
    return torch.cat([features, features[:1] * (keep / (1 - probability)).to(features.device)])
