"""What only the frames of a sequence together can show: a camera that was moved, and pictures of different instants."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.align.rows import Part
from pipeline.pairing.registration import drift
from pipeline.pairing.registration.motion import Skew


def drifting(parts: Sequence[Part]) -> list[Part]:
    """Flag ``drift`` by the median of a window of frames; too few frames leave the flags that single pairs got."""
    moved = drift.moved([part.drift for part in parts])
    if moved is None:
        return list(parts)
    return [
        _flagged(part, "drift", on=bool(on)).model_copy(update={"moved": bool(on)}) for part, on in zip(parts, moved)
    ]


def skewed(parts: Sequence[Part], skew: Skew) -> list[Part]:
    """Flag ``temporal_mismatch``: all aligned pairs where the sequence has an offset, else single frames.

    The offset is put among the scores, as ``time_offset``, in frames.
    """
    return [_late(part, skew) for part in parts]


def _late(part: Part, skew: Skew) -> Part:
    if not part.aligned or not (skew.offset or part.aligned.pair_id in skew.wrong):
        return part
    flagged = _flagged(part, "temporal_mismatch", on=True)
    if not skew.offset or not flagged.aligned:
        return flagged
    scores = {**flagged.aligned.scores, "time_offset": float(skew.offset)}
    return flagged.model_copy(update={"aligned": flagged.aligned.model_copy(update={"scores": scores})})


def _flagged(part: Part, flag: str, *, on: bool) -> Part:
    """The part with a flag of its aligned pair set or taken away."""
    if not part.aligned:
        return part
    flags = tuple(each for each in part.aligned.flags if each != flag) + ((flag,) if on else ())
    return part.model_copy(update={"aligned": part.aligned.model_copy(update={"flags": flags})})
