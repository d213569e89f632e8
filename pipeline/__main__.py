"""``python -m pipeline`` is ``cmd-prep``. A foreign ``pipeline`` would run before this one could refuse it."""

from cmd_tir import prep

prep()
