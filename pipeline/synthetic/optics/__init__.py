"""How a scene is seen: heat and light, cameras, pixels, sensor noise."""
