"""Doing what a study's plan says: commands as processes, some side by side, until all have ended."""

from trainer.study.run.collect import collect, tries
from trainer.study.run.rates import RATES, write_rate
from trainer.study.run.runner import LOGS, Runner

__all__ = ["LOGS", "RATES", "Runner", "collect", "tries", "write_rate"]
