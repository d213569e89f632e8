"""``python -m trainer`` is ``cmd-train``. A foreign ``trainer`` would run before this one could refuse it."""

from cmd_tir import train

train()
