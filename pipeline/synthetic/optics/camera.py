"""Geometry: the ground-plane camera, the panorama it looks into, and the rig of the two cameras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

SCALE = 2
"""Canvas pixels per picture pixel: scenes are drawn at twice the resolution and averaged down."""

Points = NDArray[np.float64]
Length = TypeVar("Length", float, Points)


@dataclass(frozen=True)
class View:
    """A camera that stands over a flat ground and turns about the vertical.

    World axes are X right, Y up and Z ahead, in metres, with the origin on the ground below the camera. Turning is a
    shift of a window over a panorama (true for small angles); a lens shift stands in for tilt, so that verticals stay
    vertical.

    Attributes:
        size: (width, height) of a picture in pixels.
        focal: focal length in pixels.
        horizon: row of the horizon in picture pixels when the camera does not shake.
        height: of the camera over the ground in metres.
        margin: (x, y) pixels of panorama kept on each side of the picture.
    """

    size: tuple[int, int]
    focal: float
    horizon: float
    height: float
    margin: tuple[int, int]

    @property
    def panorama(self) -> tuple[int, int]:
        """(width, height) of the panorama in canvas pixels."""
        return SCALE * (self.size[0] + 2 * self.margin[0]), SCALE * (self.size[1] + 2 * self.margin[1])

    def project(self, world: Points) -> Points:
        """World points (..., 3) as X, Y, Z to panorama canvas points (..., 2), pixel edges."""
        depth = np.maximum(world[..., 2], 0.5)
        x = self.size[0] / 2 + self.focal * world[..., 0] / depth + self.margin[0]
        y = self.horizon + self.focal * (self.height - world[..., 1]) / depth + self.margin[1]
        return SCALE * np.stack([x, y], axis=-1)

    def pixels_per_metre(self, depth: Length) -> Length:
        """Canvas pixels that a metre at ``depth`` metres covers."""
        return SCALE * self.focal / depth

    def ground(self, row: Points, column: Points) -> tuple[Points, Points]:
        """(X, Z) in metres of the ground seen at panorama canvas pixels below the horizon."""
        drop = np.maximum((row + 0.5) / SCALE - self.margin[1] - self.horizon, 0.25)
        z = self.focal * self.height / drop
        x = ((column + 0.5) / SCALE - self.margin[0] - self.size[0] / 2) * z / self.focal
        return x, z


def rig(rng: np.random.Generator, size: tuple[int, int]) -> Points:
    """A sequence's TIR -> RGB homography (3, 3), pixel centres: the picture's corners moved by 3 to 16 px of 640."""
    width, height = size
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    shift = rng.uniform(-6, 6, 2) + rng.uniform(-5, 5, (4, 2))
    length = np.linalg.norm(shift, axis=1, keepdims=True)
    shift *= np.clip(length, 3, 15.5) / length * width / 640
    matrix = cv2.getPerspectiveTransform(corners, (corners + shift).astype(np.float32))
    return np.asarray(matrix / matrix[2, 2], dtype=np.float64)


def jitter(rng: np.random.Generator, matrix: Points, size: tuple[int, int]) -> Points:
    """The rig's homography in one frame: mounts play by about 0.3 px and 0.02 degrees."""
    angle = np.deg2rad(rng.normal(0, 0.02))
    move = rng.normal(0, 0.3 * size[0] / 640, 2)
    centre = np.array([(size[0] - 1) / 2, (size[1] - 1) / 2])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shake = np.eye(3)
    shake[:2, :2] = turn
    shake[:2, 2] = centre - turn @ centre + move
    moved = shake @ matrix
    return np.asarray(moved / moved[2, 2], dtype=np.float64)


def to_canvas(offset: tuple[int, int]) -> Points:
    """Matrix from picture pixels to panorama canvas pixels (centres both) for a window at ``offset`` canvas pixels."""
    half = (SCALE - 1) / 2
    return np.array([[SCALE, 0, offset[0] + half], [0, SCALE, offset[1] + half], [0, 0, 1]], np.float64)
