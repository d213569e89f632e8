"""Which world a study looks at: one that it makes for itself, or the user's data."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

from pipeline.errors import UsageError
from trainer.recipes.geometry import geometry_of
from trainer.recipes.recipe import load_recipe
from trainer.study.plan.order import CANDIDATE
from trainer.study.presets import preset_of
from trainer.study.rows import BC
from trainer.study.settings import StudyConfig
from trainer.study.worlds import synthetic
from trainer.study.worlds.real import real_world
from trainer.study.worlds.world import World

_OF_REAL_DATA = ("select", "clips", "weights", "detections")


def world_of(config: StudyConfig) -> World:
    """The world of a study.

    Raises:
        UsageError: real pairs without sequences to test on, or the other way round; options of real data alone; or a
            base tracker without the rows of a study.
        DataError: real data that cannot be used.
    """
    if bool(config.pairs) != (config.test is not None):
        lacking = "--test SEQUENCES" if config.test is None else "--pairs ALIGNED"
        raise UsageError(f"real data are pairs to learn from and sequences to test on: give {lacking} too")
    if not load_recipe(CANDIDATE).fits(geometry_of(config.tracker)):
        raise UsageError(
            f"--tracker {config.tracker}: {CANDIDATE} and its controls train a classifier, and it has none that is "
            "trained before tracking: choose another"
        )
    preset = preset_of(config.preset, config.tracker)
    if config.seeds is not None:
        preset = replace(preset, scope=replace(preset.scope, seeds=config.seeds))
    if config.test is not None:
        return _with_files(real_world(config, preset, config.test))
    for name in _OF_REAL_DATA:
        if getattr(config, name) is not None:
            raise UsageError(
                f"--{name} has no effect here, it is for real data: leave it out, or give --pairs and --test"
            )
    return _with_files(World(
        name="synthetic",
        patches=config.patches or synthetic.PATCHES,
        scope=preset.scope,
        runs=lambda scope: synthetic.runs(config, preset, scope),
    ))  # fmt: skip


def _with_files(world: World) -> World:
    """With the recipes that rows of every world need."""
    return replace(world, files={BC: files("trainer.study").joinpath(BC).read_text(), **world.files})
