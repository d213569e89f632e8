"""What the runs of a study are expected to cost: CPU-seconds of one thread, measured on a machine without a GPU."""

from __future__ import annotations

START_S = 5.0
"""A command until it has torch, its weights and its shards, and its page at the end."""
MERGE_S = 2.5
"""A row that puts its parents together."""
STAGE_S = 1.0
"""A stage of the pipeline until it begins."""
PICTURE_S = 0.038
"""A synthetic picture of 640 x 512 in one modality."""
SCENE_S = 0.35
ALIGN_S = 0.115
"""A pair of which a matrix is estimated for the sequence."""
MINE_S = 0.005
"""A pair that is cut into shards."""
MEASURED = 160
"""Side of the search window in pixels, of all below; with another it goes by the area."""
TEACHER_S = 0.8
"""A step of eight samples, backbone frozen."""
WINDOW_S = 0.05, 0.03
"""A window of the two-frame test, whose features some call has kept: with the first model, with each further one."""
NANO_WINDOW_S = 0.01, 0.008
"""The same of NanoTrack."""
FRAME_S = 0.1
"""A tracked frame."""
NANO_FRAME_S = 0.02
"""The same of NanoTrack."""
SCORED_S = 2.0
"""The results of a tracker on a hundred sequences."""
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
    "b1": (0.45, 0.20),
    "b2": (0.47, 0.25),
    "c1": (0.45, 0.22),
    "d1": (0.50, 0.26),
    "d2": (0.50, 0.29),
    "d3": (0.90, 0.60),
    "d4": (0.90, 0.65),
    "d5": (0.90, 0.65),
    "t3": (0.90, 0.65),
    "k3": (0.70, 0.50),
}
"""The same of NanoTrack, whose steps are of 32 pairs; other work ran beside them."""


BOTH = frozenset({"d3", "d4", "d5", "t3"})
ONE_WAY = 0.6
"""Of the cost of a row on both branches where both ways round are the same, and each pair enters once."""


def step_s(row: str, tracker: str, window: int | None, batch: int, *, kept: bool, mixed: bool) -> float:
    """CPU-seconds of a step of a row.

    Args:
        row: of Table 1 or beyond it.
        tracker: base tracker.
        window: side of the search window in pixels; None is 288 of all but NanoTrack.
        batch: pairs a step.
        kept: whether an earlier run has kept the features of its windows.
        mixed: whether a row on both branches is fed each pair both ways round.
    """
    way = 1.0 if mixed or row not in BOTH else ONE_WAY
    if tracker == "nanotrack_v2":
        return NANO_STEPS_S[row][kept] * way * batch / 32
    return STEPS_S[row][kept] * way * batch / 5 * _area(window)


def windows_s(tracker: str, window: int | None, windows: int, models: int) -> float:
    """CPU-seconds of a two-frame test of several models."""
    first, further = NANO_WINDOW_S if tracker == "nanotrack_v2" else WINDOW_S
    return windows * (first + (models - 1) * further) * (1.0 if tracker == "nanotrack_v2" else _area(window))


def teacher_s(steps: int, batch: int, window: int | None) -> float:
    """CPU-seconds of a teacher's steps: of one image a target, on a frozen backbone, which take least."""
    return steps * TEACHER_S * batch / 8 * _area(window)


def _area(window: int | None) -> float:
    """Of a search window, in those that costs were measured with."""
    return ((window or 288) / MEASURED) ** 2
