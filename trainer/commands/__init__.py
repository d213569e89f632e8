"""cmd-train, cmd-track and cmd-eval: parse, call, print."""

__all__: list[str] = []
