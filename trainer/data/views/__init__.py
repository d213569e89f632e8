"""What a branch sees of a pair: its pictures, the window in them, and what is cut of it."""

from trainer.data.views.pictures import Pictures
from trainer.data.views.window import Window

__all__ = ["Pictures", "Window"]
