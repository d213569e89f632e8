"""The aligned pairs of a run: their rows, their files, and their pixels where somebody needs them."""

from pipeline.mine.pairs.aligned_pairs import AlignedPairs, aligned_root, manifest_name, survey_pairs
from pipeline.mine.pairs.loading import Loaded, Task, reading, refused, reject

__all__ = [
    "AlignedPairs",
    "Loaded",
    "Task",
    "aligned_root",
    "manifest_name",
    "reading",
    "refused",
    "reject",
    "survey_pairs",
]
