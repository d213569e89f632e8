"""What a study runs, in which order, at what cost."""

from trainer.study.plan.run import CHOOSE, TRUE, Model, Run, model_of

__all__ = ["CHOOSE", "TRUE", "Model", "Run", "model_of"]
