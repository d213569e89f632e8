"""How a run is run: options, one-line errors, the output folder, processes."""

__all__: list[str] = []
