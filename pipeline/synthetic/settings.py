"""Settings of ``cmd-prep synth``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.config import Settings

_OF_TRACKING = ("tracking_frames", "tracking_rgb")


class SynthConfig(Settings):
    """Settings of ``cmd-prep synth``.

    Attributes:
        out: folder to make.
        sequences: RGB-TIR sequences; each is one camera rig with its own TIR -> RGB homography.
        frames: pairs a sequence.
        tracking: TIR tracking sequences with per-frame ground truth.
        tracking_frames: frames of each of them.
        tracking_rgb: the same sequences as a visible camera sees them, in a folder of their own.
        size: (width, height) of the pictures in pixels.
        seed: everything drawn is a function of it and of the sequence and frame.
        workers: processes.
        overwrite: replace what an earlier run left in ``out``.
    """

    out: Path
    sequences: int = Field(default=4, ge=0)
    frames: int = Field(default=24, ge=0)
    tracking: int = Field(default=4, ge=0)
    tracking_frames: int = Field(default=60, ge=0)
    tracking_rgb: bool = False
    size: tuple[Annotated[int, Field(ge=96, le=4096)], Annotated[int, Field(ge=96, le=4096)]] = (640, 512)
    seed: int = Field(default=0, ge=-(2**63), lt=2**63)
    workers: int = Field(default=1, ge=1)
    overwrite: bool = False

    def without_effect(self) -> dict[str, str]:
        """The settings that do nothing, given the others -> what would use them."""
        idle = {} if self.sequences else {"frames": "--sequences above 0"}
        return idle if self.tracking else idle | dict.fromkeys(_OF_TRACKING, "--tracking above 0")
