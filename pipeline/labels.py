"""Training targets that are functions of a box alone: the Gaussian label g and the box state s."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.boxes import as_boxes

LABEL_STRIDE = 16
LABEL_CELLS = 18
LABEL_KERNEL = 4
WINDOW_FACTOR = 5.0
SIGMA_FACTOR = 0.25 / WINDOW_FACTOR
"""DiMP's label width as a share of the feature map: 0.9 cells on 18."""


def gaussian_label(
    boxes: ArrayLike, *, feature_size: int, kernel_size: int, image_size: float, sigma_factor: float
) -> NDArray[np.float32]:
    """The Gaussian label g of Eq. 2 (DiMP's label), one map a box.

    Args:
        boxes: (..., 4) x, y, w, h in pixels of the search window.
        feature_size: cells of the feature map a side.
        kernel_size: side of the filter; an even kernel gives one score more than there are cells.
        image_size: side of the square search window in pixels.
        sigma_factor: standard deviation as a share of ``feature_size``.

    Returns:
        (..., F, F) float32, F = feature_size + 1 for an even kernel; rows are y; the peak 1 is at the box centre, score
        cell k sitting at window pixel ``k * image_size / feature_size`` for an even kernel.
    """
    box = as_boxes(boxes)
    even = (kernel_size + 1) % 2
    sigma = sigma_factor * feature_size
    cells = np.arange(feature_size + even) - (feature_size - 1) / 2
    centre = box[..., :2] + box[..., 2:] / 2
    offset = feature_size * (centre - image_size / 2) / image_size + 0.5 * even
    axes = np.exp(-((cells - offset[..., None]) ** 2) / (2 * sigma**2))
    return (axes[..., 1, :, None] * axes[..., 0, None, :]).astype(np.float32)


def centred_label(count: int) -> NDArray[np.float32]:
    """Labels (count, 19, 19) of DiMP's window (factor 5, stride 16) centred on its box and not shifted inwards."""
    side = LABEL_CELLS * LABEL_STRIDE
    target = side / WINDOW_FACTOR
    box = ((side - target) / 2, (side - target) / 2, target, target)
    label = gaussian_label(
        box, feature_size=LABEL_CELLS, kernel_size=LABEL_KERNEL, image_size=side, sigma_factor=SIGMA_FACTOR
    )
    return np.broadcast_to(label, (count, *label.shape)).copy()


def box_state(boxes: ArrayLike) -> NDArray[np.float32]:
    """The box state s = (cx/w, cy/h, log w, log h) of Eq. 3, for boxes (..., 4) with positive sides.

    Raises:
        ValueError: a side is not positive.
    """
    box = as_boxes(boxes)
    size = box[..., 2:]
    if (size <= 0).any():
        raise ValueError("box_state needs boxes with positive width and height")
    centre = box[..., :2] + size / 2
    return np.concatenate([centre / size, np.log(size)], axis=-1).astype(np.float32)
