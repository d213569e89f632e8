"""What a command was asked: settings that a file gives, and that are kept beside what it makes."""

from pipeline.runtime.asked.kept import CONFIG, asking, drop_settings, keep_settings

__all__ = ["CONFIG", "asking", "drop_settings", "keep_settings"]
