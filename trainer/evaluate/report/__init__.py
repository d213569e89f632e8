"""What an evaluation shows: page, tables, plots, strips of frames, numbers."""

from trainer.evaluate.report.metrics_json import collect
from trainer.evaluate.report.page import build_page
from trainer.evaluate.report.tables import write_tables
from trainer.evaluate.report.tex import write_tex

__all__ = ["build_page", "collect", "write_tables", "write_tex"]
