"""The pages of a study: what it says, shown."""

__all__: list[str] = []
