"""What a study runs, in which order, at what cost."""

from trainer.study.plan.run import CHOOSE, Run

__all__ = ["CHOOSE", "Run"]
