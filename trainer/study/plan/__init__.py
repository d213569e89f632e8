"""What a study runs, in which order, at what cost."""

from trainer.study.plan.run import CHOOSE, Model, Run, model_of

__all__ = ["CHOOSE", "Model", "Run", "model_of"]
