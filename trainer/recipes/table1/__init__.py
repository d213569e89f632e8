"""The rows of the paper's Table 1 and some beyond it, one YAML each: first line the command, last line its result."""

__all__: list[str] = []
