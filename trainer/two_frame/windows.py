"""Two windows around one target, cut as in training, and all that an answer to them starts from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trainer.data.views.cut import box_in, cut_planes
from trainer.data.views.pictures import Pictures
from trainer.data.windowing import Windowing, windowing_of
from trainer.measure.instants import stream
from trainer.measure.starts import single, starts_of
from trainer.recipes.geometry import TrackerSpec
from trainer.two_frame.footage import Footage, Picture, Shots
from trainer.two_frame.instants import Instants

Sample = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class TwoFrames:
    """The windows of one sequence, by number: a function of the seed, the sequence, the number and the geometry alone.

    Attributes:
        footage: the sequence.
        instants: those at which its target is known.
        spec: the base tracker's geometry.
        count: how many windows.
        seed: of the test.
        noise: random starts of a refinement beside the first.
    """

    footage: Footage
    instants: Instants
    spec: TrackerSpec
    count: int
    seed: int
    noise: int

    @property
    def name(self) -> str:
        """Of the sequence."""
        return self.footage.clip.name

    @cached_property
    def draws(self) -> list[tuple[int, int]]:
        """The frames of the reference and of the test window, by number."""
        return [self.instants.draw(number, self.seed) for number in range(self.count)]

    def told(self) -> list[object]:
        """What the windows depend on beside the geometry and the pixels of the frames, as JSON."""
        truth = self.footage.clip.truth
        boxes = [[truth[frame].tolist() for frame in pair] for pair in self.draws]
        return [self.name, self.draws, boxes, self.footage.tir_range, self.seed, self.noise]

    def cut(self, number: int, shots: Shots) -> Sample:
        """One sample.

        Args:
            number: of the windows.
            shots: the frames of :attr:`draws`.

        Returns:
            ``reference`` and ``test`` (3, S, S) uint8, ``reference_box`` and ``test_box`` (4,) in them, and what
            :func:`~trainer.measure.starts.starts_of` gives.
        """
        pair = self.draws[number]
        boxes = [self.footage.clip.truth[frame] for frame in pair]
        windowing: Windowing[Any] = windowing_of(self.spec)
        sample: Sample = {}
        branches: tuple[Literal["reference"], Literal["test"]] = ("reference", "test")
        for branch, name in enumerate(branches):
            rng = stream(self.seed, f"{self.name}|{name}", number)
            window = windowing.window(branch, boxes[branch], self.footage.size, rng, True)
            sample[name] = _cut(shots.frames[pair[branch]], window, boxes[branch])
            sample[f"{name}_box"] = single(box_in(window, boxes[branch], False))
        rng = stream(self.seed, f"{self.name}|starts", number)
        truth = sample["test_box"].astype(np.float64)
        return sample | starts_of(boxes[0], boxes[1], truth, rng, self.noise)


def _cut(picture: Picture, window: Any, box: NDArray[np.float64]) -> Picture:
    return cut_planes(Pictures({"shown": picture}, box, None), {"shown": 1.0}, window, False)["shown"]
