"""From the network's answer to a box: what the authors' tracker and OpenCV's have in common.

Everything here is a function of its arguments; positions are (x, y), sizes (width, height), in frame pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb
from trainer.net.nano.grid import SEARCH_CELLS, TEMPLATE_SIZE, points
from trainer.trackers.parameters.nano import NanoParams

Array = NDArray[Any]
"""Of the floats that the rules reckon with."""
Fill = Callable[[Rgb], Sequence[float]]
"""From a frame to the colour of what lies outside of it."""


class State(NamedTuple):
    """Where the target is."""

    centre: Array
    """(2,)."""
    size: Array
    """(2,)."""


class Square(NamedTuple):
    """Pixels of a frame, which may lie outside of it."""

    left: int
    top: int
    side: int


Program = Literal["torch", "onnxruntime"]


class Answer(NamedTuple):
    """What the network says of a search crop."""

    logits: NDArray[np.float32]
    """(2, 16, 16): background, target."""
    distances: NDArray[np.float32]
    """(4, 16, 16): from each cell's point to the left, top, right and bottom side, crop pixels."""


class Bounds(NamedTuple):
    """What a box is kept within."""

    frame: Array
    """(2,) the frame's size: the largest of a box's, and of its centre's coordinates."""
    least: Array
    """(2,) the smallest size."""


class Rules(ABC):
    """One way to track with NanoTrack.

    Args:
        params: what replaces the rules' own numbers.
    """

    number: ClassVar[type[np.floating[Any]]]
    """The floats that it reckons with."""
    blue_first: ClassVar[bool]
    """Order of the channels that the network is shown."""
    origin: ClassVar[float]
    """Coordinate of the search crop's centre, while boxes are reckoned in it."""
    program: ClassVar[Program]
    """What runs the network most nearly as the rules' own program does: rounding to pixels makes much of a digit."""
    penalty_k: ClassVar[float]
    window_influence: ClassVar[float]
    lr: ClassVar[float]

    def __init__(self, params: NanoParams) -> None:
        chosen = (
            own if given is None else given
            for given, own in (
                (params.penalty_k, self.penalty_k),
                (params.window_influence, self.window_influence),
                (params.lr, self.lr),
            )
        )
        self._penalty_k, self._influence, self._lr = map(self.number, chosen)
        self._context = self.number(params.context_amount)
        self._min_side, self._min_share = params.min_side, params.min_side_of_box
        self._window = self.cosine_window(SEARCH_CELLS).astype(self.number)
        self._points = points(self.origin).numpy()

    @abstractmethod
    def start(self, box: Sequence[float]) -> State:
        """The state that a first box x, y, w, h means."""

    @abstractmethod
    def template_square(self, state: State) -> Square:
        """What the template is cut from, in the first frame."""

    @abstractmethod
    def search_square(self, state: State) -> tuple[Square, Any]:
        """Where the target is searched, and crop pixels a frame pixel."""

    @abstractmethod
    def fill(self, first: Rgb) -> Fill:
        """The colour outside of frames, given a sequence's first frame (H, W, 3)."""

    @abstractmethod
    def cosine_window(self, cells: int) -> Array:
        """The window (cells, cells) that prefers what moves little."""

    @abstractmethod
    def reference_hull(self, state: State, scale: Any) -> Any:
        """What the side of a predicted box is compared with, crop pixels."""

    @abstractmethod
    def score(self, probability: Any, total: Any) -> float:
        """What the tracker says of its certainty, given the best cell's probability and its value with the window."""

    @abstractmethod
    def box(self, state: State) -> NDArray[np.float64]:
        """The box (4,) x, y, w, h of a state."""

    def bounds(self, first: State, frame: tuple[int, int]) -> Bounds:
        """What boxes are kept within, given a sequence's first state and the rows and columns of its frames."""
        least = np.full(2, self._min_side)
        if self._min_share is not None:
            least = np.minimum(least, np.maximum(self._min_share * first.size, 1))
        return Bounds(np.array(frame[::-1], self.number), least.astype(self.number))

    def window_side(self, size: Array, total: Any) -> Any:
        """Side of the square about a target that its template is cut from; ``total`` is its width plus its height."""
        wide, high = size + self._context * self.number(total)
        return np.sqrt(wide * high)

    def step(self, state: State, scale: Any, answer: Answer, bounds: Bounds) -> tuple[State, float]:
        """The state after a frame, and its score.

        Args:
            state: before it.
            scale: crop pixels a frame pixel.
            answer: of the network.
            bounds: of the boxes.
        """
        low, high = self._points - answer.distances[:2], self._points + answer.distances[2:]
        sides, seen = high - low, state.size * scale
        probability = _target_probability(answer.logits)
        growth = _change(hull(*sides) / self.reference_hull(state, scale))
        aspect = _change(seen[0] / seen[1] / (sides[0] / sides[1]))
        penalty = np.exp(-(aspect * growth - 1) * self._penalty_k)
        total = penalty * probability * (1 - self._influence) + self._window * self._influence
        best = np.unravel_index(total.argmax(), total.shape)
        at = (slice(None), *best)
        centre = state.centre + ((low[at] + high[at]) / 2 - self.number(self.origin)) / scale
        rate = penalty[best] * probability[best] * self._lr
        # There and back again, as in both: in float32 that is not the same.
        size = sides[at] / scale * rate + (1 - rate) * (seen / scale)
        moved = State(np.clip(centre, 0, bounds.frame), np.maximum(bounds.least, np.minimum(bounds.frame, size)))
        return moved, self.score(probability[best], total[best])


def hull(width: Any, height: Any) -> Any:
    """Side of the square that has the area of a box with half of its width plus height added to each side."""
    pad = (width + height) / 2
    return np.sqrt((width + pad) * (height + pad))


def template_scale(side: Any) -> Any:
    """Crop pixels a frame pixel, given the side of the template's window."""
    return TEMPLATE_SIZE / side


def _change(ratio: Array) -> Array:
    """How far from 1 a ratio is, either way."""
    return np.maximum(ratio, 1 / ratio)


def _target_probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The softmax of (2, h, w): its second map."""
    background, target = np.exp(logits - logits.max(axis=0))
    return np.asarray(target / (background + target))
