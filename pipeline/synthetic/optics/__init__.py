"""How a scene is seen: heat and light, cameras, pixels, sensor noise."""

__all__: list[str] = []
