"""What the runs of a study are expected to cost: CPU-seconds of one thread, measured on a machine without a GPU."""

from __future__ import annotations

START_S = 4.0
"""A command until it has torch, its weights and its shards."""
PICTURE_S = 0.042
"""A synthetic picture of 640 x 512 in one modality."""
SCENE_S = 0.5
ALIGN_S = 0.1
"""A pair of which a matrix is estimated for the sequence."""
MINE_S = 0.01
"""A pair that is cut into shards."""
MEASURED = 160
"""Side of the search window in pixels, of all below; with another it goes by the area."""
TEACHER_S = 0.8
"""A step of eight samples, backbone frozen."""
WINDOW_S = 0.08
"""A window of the two-frame test."""
FRAME_S = 0.1
"""A tracked frame."""
STEPS_S: dict[str, tuple[float, float]] = {
    "b1": (0.28, 0.14),
    "b2": (0.36, 0.24),
    "c1": (0.24, 0.12),
    "c1f": (0.30, 0.18),
    "d1": (0.50, 0.35),
    "d2": (0.50, 0.35),
    "d3": (0.85, 0.60),
    "d4": (0.85, 0.60),
    "d5": (0.85, 0.60),
    "t3": (0.90, 0.65),
    "k3": (0.70, 0.50),
}
"""A step of five pairs: with the frozen features to be computed, and with features that an earlier run has kept."""
NANO_STEPS_S: dict[str, tuple[float, float]] = {
    "b1": (0.60, 0.23),
    "b2": (0.55, 0.28),
    "c1": (0.50, 0.25),
    "d1": (0.50, 0.26),
    "d2": (0.50, 0.29),
    "d3": (0.90, 0.65),
    "d4": (0.90, 0.65),
    "d5": (0.90, 0.65),
    "t3": (0.90, 0.65),
    "k3": (0.70, 0.50),
}
"""The same of NanoTrack, whose steps are of 32 pairs; other work ran beside them."""


def step_s(row: str, tracker: str, window: int | None, batch: int, kept: bool) -> float:
    """CPU-seconds of a step of a row.

    Args:
        row: of Table 1 or beyond it.
        tracker: base tracker.
        window: side of the search window in pixels; None is 288 of all but NanoTrack.
        batch: pairs a step.
        kept: whether an earlier run has kept the features of its windows.
    """
    if tracker == "nanotrack_v2":
        return NANO_STEPS_S[row][kept] * batch / 32
    return STEPS_S[row][kept] * batch / 5 * area(tracker, window)


def area(tracker: str, window: int | None) -> float:
    """Of a search window, in those that costs were measured with; NanoTrack's counts as a third."""
    return 0.3 if tracker == "nanotrack_v2" else ((window or 288) / MEASURED) ** 2
