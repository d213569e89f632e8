"""Which world a study looks at: one that it makes for itself, or the user's data."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

from pipeline.errors import UsageError
from trainer.study.presets import preset_of
from trainer.study.rows import BC
from trainer.study.settings import StudyConfig
from trainer.study.worlds import synthetic
from trainer.study.worlds.world import World


def world_of(config: StudyConfig) -> World:
    """The world of a study.

    Raises:
        UsageError: real pairs without sequences to test on, or the other way round.
    """
    if (config.pairs is None) != (config.test is None):
        lacking = "--test SEQUENCES" if config.test is None else "--pairs ALIGNED"
        raise UsageError(f"real data are pairs to learn from and sequences to test on: give {lacking} too")
    preset = preset_of(config.preset, config.tracker)
    return World(
        name="synthetic",
        patches=config.patches or synthetic.PATCHES,
        scope=preset.scope if config.seeds is None else replace(preset.scope, seeds=config.seeds),
        runs=lambda scope: synthetic.runs(config, preset, scope),
        files={BC: files("trainer.study").joinpath(BC).read_text()},
    )
