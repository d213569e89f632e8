"""What is fed in place of true pairs, so that it can be told what those are worth.

What a row learns so is what it learns without pairs, without TIR, or from a rig that nobody has calibrated.
"""

from trainer.data.controls.control import PairControl

__all__ = ["PairControl"]
