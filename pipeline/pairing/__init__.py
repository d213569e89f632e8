"""RGB-TIR pairs: found in a data set, and registered to one another."""

__all__: list[str] = []
