"""Does distillation help, and is it the pairs? Whole studies: planned, run as commands, judged by rules fixed before.

Nothing here imports a stage: what a study does is to start commands and to read the files that they write.
"""

from trainer.study.settings import StudyConfig
from trainer.study.stage import Studied, plan_study, run_study

__all__ = ["Studied", "StudyConfig", "plan_study", "run_study"]
