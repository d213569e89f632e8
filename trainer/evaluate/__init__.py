"""One-pass evaluation (OPE) of TIR trackers as the LSOTB-TIR and PTB-TIR toolkits define it, without torch."""

from trainer.evaluate.score_trackers import Evaluation, evaluate
from trainer.evaluate.settings import EvaluateConfig
from trainer.evaluate.stage import EvaluationReport, run

__all__ = ["EvaluateConfig", "Evaluation", "EvaluationReport", "evaluate", "run"]
