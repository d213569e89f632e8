"""Settings that would do nothing for a row: refused where they were typed, and where they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.errors import UsageError
from trainer import train
from trainer.commands.train import main
from trainer.data import WindowDataset
from trainer.recipes.effects import OF_ROWS, OPTIONS, RULES, TRAINING, refuse_without_effect, without_effect
from trainer.recipes.settings import Rates, TrainConfig, configure

from ...conftest import told

IDLE = {
    "a rate of what the row does not train": ("b1", "rates.tcl=1e-4"),
    "a rate of the branch that is not trained": ("d1", "rates.filter_optimizer=1e-4"),
    "a rate of a frozen backbone": ("pretrain", "rates.backbone=1e-4", "backbone=frozen"),
    "several images of a row of the table": ("d3", "images=3"),
    "several images of all rows": ("all", "images=2"),
    "a backbone that no row trains": ("all", "backbone=frozen"),
    "a backbone that learns anyway": ("pretrain", "backbone=learns"),
    "the box loss of the classifier": ("c1", "bbe_loss=state"),
    "lambda without the box loss": ("c1", "weight=2"),
    "losses that are named one by one": ("c1", "losses=paper", "tcl_loss=l2"),
    "losses of answers that are named one by one": ("k3", "losses=paper", "tcl_loss=answer", "bbe_loss=answer"),
    "mu of the hinge": ("c1", "mu=.1"),
    "mu without a classifier": ("b1", "mu=.1", "losses=paper"),
    "nu of the IoU loss": ("d3", "nu=.1"),
    "psi that nothing reads": ("d3", "head_steps=3"),
    "the features of the test branch": ("d1", "tcl_features=trained"),
    "a default that was typed": ("b1", "tcl_features=frozen"),
    "a teacher of both branches": ("d3", "teacher=x"),
    "a mix of one modality": ("c1", "mix=spatial"),
    "how often a joined pair enters": ("d3", "mix_pairs=once", "mix=spatial"),
    "a step without a decay": ("c1", "step=3", "gamma=1"),
    "what is measured of nothing": ("c1", "held_out_samples=3", "held_out=0"),
    "a split of nothing": ("c1", "split_seed=3", "held_out=0"),
    "a decay where nothing is trained": ("a1", "gamma=.3"),
    "a rate where nothing is trained": ("b3", "rates.bbe=1e-4"),
    "all rates where nothing is trained": ("b3", "rate_scale=10"),
    "what is held out of no training": ("b3", "held_out=.3"),
    "losses of no training": ("a1", "losses=paper"),
    "minutes between no states": ("a1", "save_minutes=3"),
}
USED = (
    ("b1", "rates.bbe=1e-4", "weight=2", "teacher=x"),
    ("b1", "losses=paper", "nu=.1", "head_steps=3"),
    ("c1", "tcl_features=trained", "rates.filter_optimizer=1e-4", "rate_scale=3"),
    ("c1", "tcl_loss=l2", "mu=.1"),
    ("d3", "mix=batch", "mix_pairs=once", "bbe_loss=state+iou", "losses=paper"),
    ("pretrain", "rates.backbone=1e-4", "gamma=.5", "images=1", "instants=one"),
    ("d3", "instants=two"),
    ("pretrain", "backbone=frozen", "rates.tcl=1e-4"),
    ("all", "rates.tcl=1e-4", "tcl_features=trained", "teacher=a1", "mix=spatial", "rate_scale=2"),
    ("all", "losses=paper", "mu=.1", "nu=.1", "head_steps=3", "mix_pairs=once"),
)


def typed(case: tuple[str, ...]) -> list[str]:
    recipe, *overrides = case
    return ["--recipe", recipe, "--tracker", "dimp18", *(word for each in overrides for word in ("--set", each))]


@pytest.mark.parametrize("case", IDLE)
def test_a_setting_without_effect_is_refused_with_what_would_use_it(tmp_path: Path, case: str) -> None:
    name = IDLE[case][1].partition("=")[0]
    shards = ["--shards", str(tmp_path)] * (IDLE[case][0] not in ("a1", "b3"))
    result = CliRunner().invoke(main, [*typed(IDLE[case]), *shards, "--out", str(tmp_path / "out")])
    told(result, 2, f"--set {name} has no effect here, it is for ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", USED, ids=" ".join)
def test_a_setting_that_counts_is_not(case: tuple[str, ...]) -> None:
    config = configure({"recipe": case[0], "tracker": "dimp18", "out": "run"}, case[1:])
    assert not without_effect(config).keys() & {override.partition("=")[0] for override in case[1:]}


@pytest.mark.parametrize("losses", [("tcl_loss=answer", "bbe_loss=answer"), ("bbe_loss=answer", "rates.bbe=1e-4")])
def test_losses_of_one_s_own_may_learn_all_answers(losses: tuple[str, str]) -> None:
    tracker = "dimp18" if "tcl_loss=answer" in losses else "atom"
    config = configure({"recipe": "k3", "tracker": tracker, "out": "run"}, losses)
    refuse_without_effect(config, [each.partition("=")[0] for each in losses])


def test_a_folder_in_which_nothing_is_kept_is_refused(tmp_path: Path) -> None:
    given = {"recipe": "c1", "tracker": "dimp18", "out": "run", "feature_cache": tmp_path}
    refuse_without_effect(configure(given, ("feature_gib=.1",)))
    with pytest.raises(UsageError, match=r"--feature-cache has no effect here, it is for .*feature_gib above 0"):
        refuse_without_effect(configure(given, ("feature_gib=0",)))


def test_for_atom_nothing_of_a_classifier_counts_in_any_row() -> None:
    idle = without_effect(configure({"recipe": "all", "tracker": "atom", "out": "run"}, ("losses=paper",)))
    assert {"rates.tcl", "tcl_loss", "mu", "tcl_features"} <= idle.keys()
    assert not {"rates.bbe", "nu", "head_steps", "teacher", "mix"} & idle.keys()


def test_run_refuses_alike_and_so_do_windows(tmp_path: Path) -> None:
    for changes, name in (
        ({"recipe": "c1", "nu": 0.1}, "--set nu"),
        ({"recipe": "b1", "rates": {"tcl": 1e-4}}, "--set rates.tcl"),
        ({"recipe": "a1", "held_out": 0.3}, "--set held_out"),
        ({"recipe": "a1", "batch_size": 3}, "--batch-size"),
    ):
        config: dict[str, Any] = {"out": tmp_path / "out", "tracker": "dimp18"} | changes
        with pytest.raises(UsageError, match=f"{name} has no effect here"):
            train.run(TrainConfig.model_validate(config))
    for name, value in (("teacher", "x"), ("backbone", "frozen")):
        with pytest.raises(UsageError, match=f"--set {name} has no effect here"):
            WindowDataset([tmp_path], "d3", "dimp18", **{name: value})
    assert list(tmp_path.iterdir()) == []


def test_the_rules_name_settings_that_there_are() -> None:
    named = [name for rule in RULES for name in rule.names]
    known = set(TrainConfig.model_fields) | {f"rates.{name}" for name in Rates.model_fields}
    assert len(set(named)) == len(named)
    assert {*named, *TRAINING, *OPTIONS, *OF_ROWS} <= known
    assert {f"rates.{name}" for name in Rates.model_fields} <= set(named), "each rate has its rule"
