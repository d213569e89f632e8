"""What the results of a study say: differences with intervals over clips and seeds, and the verdict by rules."""

from trainer.study.judge.contrasts import Contrast, contrast
from trainer.study.judge.findings import deciding_measure, find, write_verdict
from trainer.study.judge.scores import Arm, Scores, scores_of
from trainer.study.judge.verdict import Verdict, judge

__all__ = [
    "Arm",
    "Contrast",
    "Scores",
    "Verdict",
    "contrast",
    "deciding_measure",
    "find",
    "judge",
    "scores_of",
    "write_verdict",
]
