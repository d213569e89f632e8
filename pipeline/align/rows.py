"""What the steps of alignment hand to one another: rows of part files, and what is known of a camera."""

from __future__ import annotations

from pydantic import Field

from pipeline.config import Settings
from pipeline.pairing.registration import fit
from pipeline.records import AlignedPair, Matrix9, Reject, Row


class Part(Row):
    """One row of a part file: exactly one of ``aligned`` and ``reject`` is set.

    Attributes:
        camera: the rig that took the pair, where its matrix was known.
        drift: how far a free fit would move the corners under that matrix, RGB pixels; None where nothing was fitted,
            0 where it lies within the error of the fit.
        moved: the pair belongs to a run of frames under which the camera has moved.
        seen: sightings of its files.
    """

    aligned: AlignedPair | None = None
    reject: Reject | None = None
    camera: str = ""
    drift: float | None = None
    moved: bool = False
    seen: tuple[int, ...] = ()


class Rig(Settings):
    """One camera in ``homographies.json``.

    Attributes:
        homography: TIR pixel -> RGB pixel, row-major, pixel centres.
        model: the family it belongs to.
        rgb_size: (width, height) of the pictures it holds for; None holds for any.
        tir_size: likewise.
        scores: parts of the score of the pooled frames, as for a pair.
        trusted: False for a camera whose frames contradict one another, which is registered pair by pair.
    """

    homography: Matrix9
    model: fit.Fitted = "homography"
    rgb_size: tuple[int, int] | None = None
    tir_size: tuple[int, int] | None = None
    scores: dict[str, float] = Field(default_factory=dict)
    trusted: bool = True
