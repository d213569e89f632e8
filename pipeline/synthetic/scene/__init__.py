"""A scene as a whole: where everything stands, and the pictures made of it."""

__all__: list[str] = []
