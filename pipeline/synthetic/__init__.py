"""Synthetic RGB-TIR data with known truth: the embedded input of the demo and of the tests.

Scenes are drawn once in metres and kelvin over a ground plane and seen by two cameras, so both modalities share every
outline and nothing else. See :func:`run`.
"""

from pipeline.synthetic.settings import SynthConfig
from pipeline.synthetic.writer import run

__all__ = ["SynthConfig", "run"]
