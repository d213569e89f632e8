"""The rows of the paper's Table 1, one YAML each: first line the command, last line the paper's result."""

__all__: list[str] = []
