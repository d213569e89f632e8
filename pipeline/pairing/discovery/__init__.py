"""Finding the pairs of a data set: its layout, its names, its lists."""

__all__: list[str] = []
