"""What the frames of one camera say of an estimate: correlation surfaces, pooled."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError
from pipeline.images import Rgb, Tir
from pipeline.pairing.registration import features, fit, overlays, workframe
from pipeline.pairing.registration.blocks import TAPS, Surfaces, Windows, correlate, doubled, windows
from pipeline.pairing.registration.features import Channels
from pipeline.pairing.registration.fit import Fit, Frame
from pipeline.runtime.memory import keep_freed_memory

Array = NDArray[np.float64]
Pair = tuple[Rgb, Tir]

PRIOR = np.array([80.0, 80, 40, 40, 20, 20, 20, 20])
"""Standard deviation of the parameters around the prior matrix, work-frame pixels: wide, only for blank regions."""
KEPT = 32
"""RGB pictures whose channels, later windows (3 MB), are kept between passes; more are described anew."""


@dataclass(frozen=True)
class Level:
    """How one pass correlates and fits; lengths in pixels of the level.

    Attributes:
        step: work-frame pixels a pixel of the level.
        block: side of a block.
        reach: largest displacement looked at.
        sigmas: widths of the window around the prediction, one a pass of the fit.
        gain: log-likelihood that a block gains as its squared correlation goes from 0 to 1.
        noise: how far a block may truly lie off the model (parallax).
        glance: describe and correlate at half the resolution, a quarter of the work; surfaces are brought to the
            level's pixels afterwards, so all that is read from them keeps its meaning.
    """

    step: int
    block: int
    reach: int
    sigmas: tuple[float, ...]
    gain: float
    noise: float
    glance: bool = False


def apply(matrix: Array, points: Array) -> Array:
    """Points (n, 2) as a homography (3, 3) takes them."""
    homogeneous = np.c_[points, np.ones(len(points))] @ matrix.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], dtype=np.float64)


class Evidence:
    """The frames of one camera, correlated at any estimate.

    Attributes:
        prior: (3, 3) TIR -> RGB matrix that estimates are relative to.
        size: (width, height) of the work frame.
        overlay: share of the TIR picture, 0 to 1, that is drawn into both pictures and gives no evidence.
    """

    def __init__(self, frames: Sequence[Pair], prior: Array | None) -> None:
        if not len(frames):
            raise DataError("no frames to register: give at least one RGB-TIR pair")
        keep_freed_memory()
        rgb, tir = frames[0]
        self._frames = frames
        self._kept: dict[int, Channels | Windows] = {}
        self._shapes = rgb.shape, tir.shape
        self._to_work, self.size = workframe.to_work(rgb)
        whole = workframe.size_prior(rgb, tir)
        self.prior = whole if prior is None else np.asarray(prior, dtype=np.float64)
        self._whole = self._to_work @ whole
        found = overlays.look(self._frame(index) for index in range(len(frames)))
        self._suspect = found.suspect
        self._leave_out(found.sure)

    def without_suspects(self) -> Evidence | None:
        """The same without what has equal edges in the same pixels of both pictures; None where nothing has."""
        if self._suspect is None:
            return None
        rest = copy(self)
        rest._kept, rest._suspect = {}, None
        rest._leave_out(overlays.either(self._drawn, self._suspect))
        return rest

    def _leave_out(self, drawn: overlays.Mask | None) -> None:
        """Take (h, w) TIR pixels as drawn into both pictures."""
        self._drawn = drawn
        self.overlay = 0.0 if drawn is None else float(drawn.mean())
        self._shown = None if drawn is None else workframe.shown(drawn, self._whole, self.size)

    @property
    def moved(self) -> float:
        """How far the prior moves the corners of one picture laid over the other, in pixels as of :meth:`apart`."""
        return self.apart(self.prior, np.linalg.inv(self._to_work) @ self._whole)

    def apart(self, first: Array, second: Array) -> float:
        """Mean distance between where two TIR -> RGB matrices take the TIR picture's corners.

        In RGB pixels, or in those of the work frame where they are coarser.
        """
        right, bottom = self._shapes[1][1] - 1.0, self._shapes[1][0] - 1.0
        corners = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]])
        distance = np.linalg.norm(apply(first, corners) - apply(second, corners), axis=1).mean()
        return float(distance) * min(1.0, self.scale)

    @property
    def count(self) -> int:
        """Frames."""
        return len(self._frames)

    @property
    def scale(self) -> float:
        """Work-frame pixels an RGB pixel."""
        return float(self._to_work[0, 0])

    @property
    def frame(self) -> Frame:
        """What work-frame parameters refer to."""
        return self.frame_at(1)

    def frame_at(self, step: int) -> Frame:
        """What the parameters refer to on the level ``step``."""
        return Frame.of(self.size[0] // step, self.size[1] // step)

    def matrix(self, work: Array) -> Array:
        """The TIR -> RGB matrix (3, 3) of a work-frame matrix (3, 3)."""
        return workframe.normalised(np.linalg.inv(self._to_work) @ work @ self._to_work @ self.prior)

    def corners(self) -> Array:
        """(4, 2) centres of the work frame's corner pixels."""
        right, bottom = self.size[0] - 1.0, self.size[1] - 1.0
        return np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]])

    def distance(self, first: Array, second: Array) -> float:
        """Mean distance, in RGB pixels, between where two work-frame matrices take the corners."""
        a, b = (apply(matrix, self.corners()) for matrix in (first, second))
        return float(np.linalg.norm(a - b, axis=1).mean() / self.scale)

    def spread(self, fitted: Fit, step: int) -> float:
        """Standard error of the corners under a fit on the level ``step``, in RGB pixels."""
        _, slopes = self.frame_at(step).jacobian(fitted.parameters, (self.corners() + 0.5) / step - 0.5)
        ridge = 1e-6 * np.eye(len(fitted.normal))
        covariance = slopes @ np.linalg.inv(fitted.normal + ridge) @ slopes.transpose(0, 2, 1)
        return float(np.sqrt(np.trace(covariance, axis1=1, axis2=2).mean()) * step / self.scale)

    def fit(self, surfaces: Surfaces, work: Array, start: Array, how: Level) -> tuple[Array, Fit]:
        """Fit (k,) work-frame parameters, from ``start``, to surfaces that were taken at ``work``."""
        back = workframe.level(np.linalg.inv(work).astype(np.float64), how.step)
        origins = apply(back, surfaces.centres)
        frame, prior = self.frame_at(how.step), PRIOR[: len(start)] / how.step
        result = fit.refine(surfaces, frame, origins, start / how.step, prior, how.sigmas, how.gain, how.noise)
        return result.parameters * how.step, result

    def pooled(self, work: Array, how: Level) -> list[Surfaces]:
        """Mean surfaces of all frames at an estimate; of two or more also those of the even and of the odd frames.

        Raises:
            DataError: frames of several sizes.
        """
        count = len(self._frames)
        halves: list[NDArray[np.float32]] = []
        for index in range(count):
            one = self._surfaces(index, work, how)
            if index < 2:
                halves.append(one.values)
            else:
                halves[index % 2] = halves[index % 2] + one.values
        total = halves[0] if count == 1 else halves[0] + halves[1]
        every = Surfaces(one.centres, total / np.float32(count), one.weights)
        if count == 1:
            return [every]
        split = zip(halves, ((count + 1) // 2, count // 2))
        return [every, *(Surfaces(one.centres, half / np.float32(part), one.weights) for half, part in split)]

    def _frame(self, index: int) -> Pair:
        rgb, tir = self._frames[index]
        if (rgb.shape, tir.shape) != self._shapes:
            raise DataError(
                f"frames of one camera differ in size ({rgb.shape[1]}x{rgb.shape[0]} RGB, "
                f"{tir.shape[1]}x{tir.shape[0]} TIR): register them pair by pair (--estimate pair)"
            )
        return rgb, tir

    def _surfaces(self, index: int, work: Array, how: Level) -> Surfaces:
        rgb, tir = self._frame(index)
        if how.glance:
            return self._glance(rgb, tir, work, how)
        matrix = work @ self._to_work @ self.prior
        scene = None if self._drawn is None else workframe.shown(self._drawn, matrix, self.size)
        moving, inside = workframe.tir_channels(tir, matrix, self.size, scene)
        if scene is not None and self._shown is not None:
            inside = inside * features.halve(scene * self._shown)
        if how.step == 2 * workframe.CHANNEL_STEP:
            moving, inside = _halved(moving), features.halve(inside)
        return correlate(self._windows(index, rgb, how), moving, inside)

    def _glance(self, rgb: Rgb, tir: Tir, work: Array, how: Level) -> Surfaces:
        """Surfaces of one frame from pictures of half the work frame's size."""
        half = workframe.scaling(0.5)
        size = self.size[0] // 2, self.size[1] // 2
        matrix = half @ work @ self._to_work @ self.prior
        scene = None if self._drawn is None else workframe.shown(self._drawn, matrix, size)
        shown = None if self._drawn is None else workframe.shown(self._drawn, half @ self._whole, size)
        moving, inside = workframe.tir_channels(tir, matrix, size, scene)
        if scene is not None and shown is not None:
            inside = inside * features.halve(scene * shown)
        fixed = windows(
            workframe.rgb_channels(rgb, shown, half @ self._to_work, size), how.block // 2, how.reach // 2 + TAPS
        )
        return doubled(correlate(fixed, moving, inside))

    def _windows(self, index: int, rgb: Rgb, how: Level) -> Windows:
        """The windows of one RGB picture on a level."""
        kept = self._kept.get(index)
        if isinstance(kept, Windows) and (kept.block, kept.reach) == (how.block, how.reach):
            return kept
        channels = (
            kept if isinstance(kept, np.ndarray) else workframe.rgb_channels(rgb, self._shown, self._to_work, self.size)
        )
        coarse = how.step == 2 * workframe.CHANNEL_STEP
        made = windows(_halved(channels) if coarse else channels, how.block, how.reach)
        if len(self._kept) < KEPT or index in self._kept:
            # The coarse pass is the only one of its kind and comes first; all others share their windows.
            self._kept[index] = channels if coarse else made
        return made


def _halved(channels: Channels) -> Channels:
    return np.stack([features.halve(plane) for plane in channels])
