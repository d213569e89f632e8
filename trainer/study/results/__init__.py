"""What the runs of a study measured, as rows of one file that is the same to the byte however they were run."""

from trainer.study.results.rows import RESULTS, ResultRow, read_results, write_results

__all__ = ["RESULTS", "ResultRow", "read_results", "write_results"]
