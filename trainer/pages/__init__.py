"""The pages of a run: what it learnt, losses, what it is fed."""

from trainer.pages.before_and_after import windows_section
from trainer.pages.feeds_page import draw_feeds
from trainer.pages.loss_curves import curves
from trainer.pages.run_page import draw_run

__all__ = ["curves", "draw_feeds", "draw_run", "windows_section"]
