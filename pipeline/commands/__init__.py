"""Subcommands of ``cmd-prep``: parse, call, print; stages are imported when they are called."""

__all__: list[str] = []
