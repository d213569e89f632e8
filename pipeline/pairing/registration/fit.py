"""From correlation surfaces to one matrix: a coarse vote, then a robust fit that weighs each block by its evidence.

The matrix acts on the work frame and has eight parameters: shift (2), scale and rotation, two shears, two perspective
terms, each in pixels of displacement at a corner of the frame; a simpler model is a shorter vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.pairing.registration.blocks import Surfaces

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
        count = len(parameters)
        p = np.zeros(8)
        p[:count] = parameters / self.radius
        x, y = xy = ((points - self.centre) / self.radius).T
        scale = 1 - p[6:] @ xy
        slopes = np.zeros((8, 2, len(points)))
        slopes[0, 0] = slopes[1, 1] = 1
        slopes[2], slopes[3], slopes[4], slopes[5] = xy, (-y, x), (x, -y), (y, x)
        uv = (xy + np.einsum("k,kin->in", p[:6], slopes[:6])) / scale
        slopes[6:] = uv * xy[:, None]
        return uv.T * self.radius + self.centre, (slopes[:count] / scale).transpose(2, 1, 0)


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

    Each block's surface is shifted as a rotation and scale would shift it; the highest point of the sum wins. Without
    blocks, as in a picture of few rows, there is nothing to move for.
    """
    if not len(surfaces.values):
        return np.zeros(4)
    reach = surfaces.reach
    x, y = (surfaces.centres - frame.centre).T
    evidence = np.maximum(surfaces.values, 0) ** 2 * surfaces.weights[:, None, None].astype(np.float32)
    span = 2 * reach + 1
    margin = int(np.ceil(np.hypot(x, y).max() * np.hypot(np.abs(turns).max(), np.abs(scales).max()))) + 1
    padded = np.pad(evidence, ((0, 0), (margin, margin), (margin, margin)))
    squares = np.lib.stride_tricks.sliding_window_view(padded, (span, span), axis=(1, 2))
    every = np.arange(len(padded))
    best, found = -1.0, np.zeros(4)
    for turn in turns:
        for scale in scales:
            left = np.rint(scale * x - turn * y).astype(int) + margin
            top = np.rint(scale * y + turn * x).astype(int) + margin
            total = squares[every, top, left].sum(axis=0)
            at = int(total.argmax())
            if total.flat[at] > best:
                best = float(total.flat[at])
                found = np.array([at % span - reach, at // span - reach, scale * frame.radius, turn * frame.radius])
    return found


def likelihood(surfaces: Surfaces, gain: float) -> Array:
    """Likelihood (n, 2r+1, 2r+1) of each displacement, its log up by ``gain`` from squared correlation 0 to 1.

    A surface whose peak is one sample wide would pin its block to whole pixels, so certainty is bounded.
    """
    values = surfaces.values.astype(np.float64)
    best = values.max(axis=(1, 2), keepdims=True, initial=0)
    slope = gain / (1 + gain * np.square(best) / CERTAINTY)
    return np.asarray(np.exp(slope * (values * np.abs(values) - np.square(best))), dtype=np.float64)


def localise(likely: Array, predicted: Array, sigma: float) -> tuple[Array, Array]:
    """What each surface says through a Gaussian window around its prediction: mean (n, 2) and precision (n, 2, 2).

    The window is divided out again (as in expectation propagation), so that a flat surface says nothing and an edge
    speaks only across itself.

    Args:
        likely: (n, 2r+1, 2r+1) likelihood of each displacement.
        predicted: (n, 2) displacement that the windows are centred on, x, y.
        sigma: standard deviation of the windows, pixels.
    """
    reach = likely.shape[1] // 2
    axis = np.arange(-reach, reach + 1, dtype=np.float64)
    window = -0.5 * ((axis - predicted[:, :, None]) / sigma) ** 2
    # Its peak on the surface is 1, however far off the prediction is.
    window = np.exp(window - window.max(axis=2, keepdims=True))
    # The window is a product of one over x and one over y, so moments of all orders are two matrix products.
    across, down = (np.stack([w, w * axis, w * axis**2], axis=1) for w in window.transpose(1, 0, 2))
    moments = down @ likely @ across.transpose(0, 2, 1)
    moments /= moments[:, :1, :1]
    mean = np.stack([moments[:, 0, 1], moments[:, 1, 0]], axis=1)
    xx, yy = moments[:, 0, 2] - mean[:, 0] ** 2 + 1 / 12, moments[:, 2, 0] - mean[:, 1] ** 2 + 1 / 12
    xy = moments[:, 1, 1] - mean[:, 0] * mean[:, 1]
    posterior = _inverse(_symmetric(xx, xy, yy))
    precision = _floored(posterior - np.eye(2) / sigma**2, 1e-4 / sigma**2)
    strength = np.einsum("nij,nj->ni", posterior, mean) - predicted / sigma**2
    return np.einsum("nij,nj->ni", _inverse(precision), strength), precision


def _symmetric(xx: Array, xy: Array, yy: Array) -> Array:
    """Matrices (n, 2, 2) of their elements (n,)."""
    made = np.empty((len(xx), 2, 2))
    made[:, 0, 0], made[:, 1, 1] = xx, yy
    made[:, 0, 1] = made[:, 1, 0] = xy
    return made


def _inverse(matrices: Array) -> Array:
    """Inverses of symmetric 2x2 matrices (n, 2, 2), in closed form: LAPACK would be called for each."""
    (a, b), (_, d) = matrices.transpose(1, 2, 0)
    return np.asarray(_symmetric(d, -b, a) / (a * d - b * b)[:, None, None], dtype=np.float64)


def _floored(matrices: Array, floor: float) -> Array:
    """Symmetric 2x2 matrices (n, 2, 2) with their eigenvalues raised to at least ``floor``, in closed form."""
    (a, b), (_, d) = matrices.transpose(1, 2, 0)
    middle, radius = (a + d) / 2, np.maximum(np.hypot((a - d) / 2, b), 1e-300)
    high, low = np.maximum(middle + radius, floor), np.maximum(middle - radius, floor)
    stretch = (high - low) / (2 * radius)
    kept = (high + low) / 2 - stretch * middle
    return _symmetric(stretch * a + kept, stretch * b, stretch * d + kept)


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
    t, variance = start.copy(), prior**2
    held = np.diag(1 / variance)
    likely = likelihood(surfaces, gain)
    moved, slopes = frame.jacobian(t, origins)
    for sigma in sigmas:
        mean, like = localise(likely, moved - surfaces.centres, sigma)
        weight = _inverse(_inverse(like) + noise**2 * np.eye(2))
        for _ in range(2):
            residual = mean - (moved - surfaces.centres)
            distance = np.einsum("ni,nij,nj->n", residual, weight, residual)
            robust = surfaces.weights / (1 + distance / ROBUST_SCALE)
            weighted = np.einsum("n,nij,nja->nia", robust, weight, slopes).reshape(residual.size, len(t))
            normal = weighted.T @ slopes.reshape(weighted.shape)
            right = weighted.T @ residual.ravel() - t / variance
            t = t + np.linalg.solve(normal + held, right)
            moved, slopes = frame.jacobian(t, origins)
    return Fit(t, normal)
