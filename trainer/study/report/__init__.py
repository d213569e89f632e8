"""What a study shows: one page, the same as text, and a table for a paper; partial where the study is."""

from trainer.study.report.write import write_report

__all__ = ["write_report"]
