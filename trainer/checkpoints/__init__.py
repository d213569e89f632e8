"""Weights in files: ours, pytracking's, and the folder of a run."""

from trainer.checkpoints.exports.pytracking import export_pytracking
from trainer.checkpoints.weights import load_weights

__all__ = ["export_pytracking", "load_weights"]
