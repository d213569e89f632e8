"""NanoTrack's parameters, by the names of its authors' configuration in small letters, and what is ours."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from trainer.trackers.parameters.base import CONFIG, TrackingParams
from trainer.trackers.parameters.values import NotNegative, Number, Rate, Share


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class NanoParams(TrackingParams):
    """How NanoTrack tracks. What is None is as the rules have it.

    Attributes:
        rules: ``pytorch`` tracks as the authors' code does, ``opencv`` as OpenCV's TrackerNano, faults included: see
            :mod:`trainer.trackers.nano`.
        engine: what runs the network; ``auto`` is torch for ``pytorch``, and for ``opencv`` onnxruntime, where it is
            installed and the device is the CPU.
        penalty_k: how much a change of size and aspect takes off a score.
        window_influence: share of the cosine window in the score.
        lr: how far the size follows a sure prediction, in one frame.
        context_amount: of (width + height) on each side of the target, to make its window.
        min_side: smallest width and height of a box, frame pixels.
        min_side_of_box: the same as a share of the first box's width and height, where that is less; None: there
            ``min_side`` holds for targets of any size, which makes boxes of smaller ones too large.
    """

    rules: Literal["pytorch", "opencv"] = "pytorch"
    engine: Literal["auto", "torch", "onnxruntime"] = "auto"
    penalty_k: NotNegative | None = None
    window_influence: Share | None = None
    lr: Rate | None = None
    context_amount: NotNegative = 0.5
    min_side: Annotated[Number, Field(ge=1)] = 10
    min_side_of_box: Rate | None = None

    def in_window(self, side: int) -> dict[str, Any]:
        """See :meth:`TrackingParams.in_window`."""
        raise ValueError(f"NanoTrack's search windows have 255 pixels a side, as its head wants them, not {side}")
