"""What stands and moves in a scene: people, vehicles, ground, fronts of houses."""

__all__: list[str] = []
