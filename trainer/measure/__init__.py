"""The held-out test: what a network finds in windows that nothing was trained on, and what needs no network."""

from trainer.measure.held_out_test import HeldOutTest, passes_of, windows_of
from trainer.measure.summary import Scores, figures

__all__ = ["HeldOutTest", "Scores", "figures", "passes_of", "windows_of"]
