"""What a command was asked: settings that a file gives, what is kept of them, and how results came about."""

from pipeline.runtime.asked.kept import again, anew, asking, drop_settings, keep_settings
from pipeline.runtime.asked.made_by import MADE_BY, made_by

__all__ = ["MADE_BY", "again", "anew", "asking", "drop_settings", "keep_settings", "made_by"]
