"""What a run does: the rows of Table 1, the base trackers' geometry, the losses, the settings. Loads no torch."""

from trainer.recipes.geometry import TrackerSpec, geometry_of
from trainer.recipes.recipe import Recipe, load_recipe, recipe_names
from trainer.recipes.settings import TrainConfig, TrainSettings, TrainWhereabouts

__all__ = [
    "Recipe",
    "TrackerSpec",
    "TrainConfig",
    "TrainSettings",
    "TrainWhereabouts",
    "geometry_of",
    "load_recipe",
    "recipe_names",
]
