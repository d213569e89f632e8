"""The two-frame test of any checkpoint: a target shown at one instant, found again up to 30 frames later."""

from trainer.two_frame.settings import TwoFrameConfig
from trainer.two_frame.stage import Measured, run

__all__ = ["Measured", "TwoFrameConfig", "run"]
