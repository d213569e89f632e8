"""From correlation surfaces to one matrix: a coarse vote, then a robust fit that weighs each block by its evidence.

The matrix acts on the work frame and has eight parameters: shift (2), scale and rotation, two shears, two perspective
terms, each in pixels of displacement at a corner of the frame; a simpler model is a shorter vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.pairing.blocks import Surfaces

Fitted = Literal["identity", "translation", "similarity", "affine", "homography"]
Array = NDArray[np.float64]

PARAMETERS: dict[Fitted, int] = {"identity": 0, "translation": 2, "similarity": 4, "affine": 6, "homography": 8}
ROBUST_SCALE = 4.0
CERTAINTY = 16.0
"""Most log-likelihood that one block can gain."""


@dataclass(frozen=True)
class Frame:
    """Coordinates that the parameters refer to: ``centre`` (2,) and half diagonal ``radius`` in pixels of a level."""

    centre: Array
    radius: float

    @classmethod
    def of(cls, width: int, height: int) -> Frame:
        """The frame of a level of width x height pixels."""
        centre = np.array([width - 1, height - 1]) / 2
        return cls(centre, float(np.hypot(width, height)) / 2)

    def matrix(self, parameters: Array) -> Array:
        """(3, 3) matrix of (k,) parameters."""
        p = np.zeros(8)
        p[: len(parameters)] = parameters
        tx, ty, s, r, a, b, gx, gy = p / self.radius
        local = np.array([[1 + s + a, b - r, tx], [b + r, 1 + s - a, ty], [-gx, -gy, 1.0]])
        into = np.array([[1, 0, -self.centre[0]], [0, 1, -self.centre[1]], [0, 0, self.radius]])
        found = np.linalg.inv(into) @ local @ into
        return np.asarray(found / found[2, 2], dtype=np.float64)

    def jacobian(self, parameters: Array, points: Array) -> tuple[Array, Array]:
        """Where the matrix takes points (n, 2), and the derivative (n, 2, k) of that by the k parameters."""
        p = np.zeros(8)
        p[: len(parameters)] = parameters
        tx, ty, s, r, a, b, gx, gy = p / self.radius
        x, y = ((points - self.centre) / self.radius).T
        scale = 1 - gx * x - gy * y
        u = ((1 + s + a) * x + (b - r) * y + tx) / scale
        v = ((b + r) * x + (1 + s - a) * y + ty) / scale
        moved = np.stack([u, v], axis=1) * self.radius + self.centre
        one, zero = np.ones_like(x), np.zeros_like(x)
        columns = [(one, zero), (zero, one), (x, y), (-y, x), (x, -y), (y, x), (u * x, v * x), (u * y, v * y)]
        slopes = np.array(columns[: len(parameters)]).reshape(-1, 2, len(x)) / scale
        return moved, slopes.transpose(2, 1, 0)


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes:
        parameters: (k,).
        normal: (k, k) normal matrix of the data alone, the inverse covariance of the parameters.
    """

    parameters: Array
    normal: Array


def vote(surfaces: Surfaces, frame: Frame, turns: Array, scales: Array) -> Array:
    """Best similarity, (4,) parameters, by exhaustive vote over rotations (radians), relative scales and all shifts.

    Each block's surface is shifted as a rotation and scale would shift it; the highest point of the sum wins.
    """
    reach = surfaces.reach
    x, y = (surfaces.centres - frame.centre).T
    evidence = np.maximum(surfaces.values, 0) ** 2 * surfaces.weights[:, None, None].astype(np.float32)
    span = 2 * reach + 1
    margin = int(np.ceil(np.hypot(x, y).max() * np.hypot(np.abs(turns).max(), np.abs(scales).max()))) + 1
    padded = np.pad(evidence, ((0, 0), (margin, margin), (margin, margin)))
    best, found = -1.0, np.zeros(4)
    for turn in turns:
        for scale in scales:
            left = np.rint(scale * x - turn * y).astype(int) + margin
            top = np.rint(scale * y + turn * x).astype(int) + margin
            total = np.zeros((span, span), np.float32)
            for plane, column, row in zip(padded, left, top):
                total += plane[row : row + span, column : column + span]
            at = int(total.argmax())
            if total.flat[at] > best:
                best = float(total.flat[at])
                found = np.array([at % span - reach, at // span - reach, scale * frame.radius, turn * frame.radius])
    return found


def likelihood(surfaces: Surfaces, gain: float) -> Array:
    """Log-likelihood (n, 2r+1, 2r+1) of each displacement, up by ``gain`` from squared correlation 0 to 1.

    A surface whose peak is one sample wide would pin its block to whole pixels, so certainty is bounded.
    """
    values = surfaces.values.astype(np.float64)
    peaks = np.square(values.max(axis=(1, 2), keepdims=True, initial=0))
    return np.asarray(gain / (1 + gain * peaks / CERTAINTY) * values * np.abs(values), dtype=np.float64)


def localise(log_likelihood: Array, predicted: Array, sigma: float) -> tuple[Array, Array]:
    """What each surface says through a Gaussian window around its prediction: mean (n, 2) and precision (n, 2, 2).

    The window is divided out again (as in expectation propagation), so that a flat surface says nothing and an edge
    speaks only across itself.
    """
    reach = log_likelihood.shape[1] // 2
    axis = np.arange(-reach, reach + 1, dtype=np.float64)
    window = -0.5 * ((axis - predicted[:, :, None]) / sigma) ** 2
    q = log_likelihood + window[:, 1, :, None] + window[:, 0, None, :]
    q = np.exp(q - q.max(axis=(1, 2), keepdims=True))
    q /= q.sum(axis=(1, 2), keepdims=True)
    px, py = q.sum(axis=1), q.sum(axis=2)
    mean = np.c_[px @ axis, py @ axis]
    cross = (axis @ q @ axis) - mean[:, 0] * mean[:, 1]
    xx, yy = px @ axis**2 - mean[:, 0] ** 2 + 1 / 12, py @ axis**2 - mean[:, 1] ** 2 + 1 / 12
    posterior = np.linalg.inv(np.stack([xx, cross, cross, yy], axis=-1).reshape(-1, 2, 2))
    values, vectors = np.linalg.eigh(posterior - np.eye(2) / sigma**2)
    values = np.maximum(values, 1e-4 / sigma**2)
    precision = vectors @ (values[:, :, None] * vectors.transpose(0, 2, 1))
    strength = np.einsum("nij,nj->ni", posterior, mean) - predicted / sigma**2
    return np.linalg.solve(precision, strength[:, :, None])[:, :, 0], precision


def refine(
    surfaces: Surfaces,
    frame: Frame,
    origins: Array,
    start: Array,
    prior: Array,
    sigmas: tuple[float, ...],
    gain: float,
    noise: float,
) -> Fit:
    """Fit parameters to all surfaces at once, each seen through a window around its prediction that narrows.

    Args:
        surfaces: of n blocks, taken at the present estimate.
        frame: what the parameters refer to.
        origins: (n, 2) block centres before the present estimate was applied.
        start: (k,) parameters to begin with.
        prior: (k,) standard deviation of the parameters around zero, pixels.
        sigmas: window widths, one a pass, pixels.
        gain: log-likelihood a block gains as its squared correlation goes from 0 to 1.
        noise: how far a block may truly lie off the model (parallax), pixels.
    """
    t = start.copy()
    log_likelihood = likelihood(surfaces, gain)
    moved, slopes = frame.jacobian(t, origins)
    for sigma in sigmas:
        mean, like = localise(log_likelihood, moved - surfaces.centres, sigma)
        weight = np.linalg.inv(np.linalg.inv(like) + noise**2 * np.eye(2))
        for _ in range(2):
            residual = mean - (moved - surfaces.centres)
            distance = np.einsum("ni,nij,nj->n", residual, weight, residual)
            robust = surfaces.weights / (1 + distance / ROBUST_SCALE)
            normal = np.einsum("n,nij,nia,njb->ab", robust, weight, slopes, slopes)
            right = np.einsum("n,nij,nia,nj->a", robust, weight, slopes, residual) - t / prior**2
            t = t + np.linalg.solve(normal + np.diag(1 / prior**2), right)
            moved, slopes = frame.jacobian(t, origins)
    return Fit(t, normal)
