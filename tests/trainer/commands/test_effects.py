"""Options that would do nothing beside the others: refused where they were typed, and by ``run`` where they differ."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli import main as prep
from pipeline.errors import UsageError
from trainer import evaluate, train
from trainer.commands.evaluate import main as cmd_eval
from trainer.commands.train import main as cmd_train

from ...conftest import told

CURVES = ("--dataset", "lsotb_tir", "--curves", ".")
RESULTS = ("--dataset", "lsotb_tir", "--annotations", ".", "--results", "a=.")
IDLE: dict[str, tuple[click.Command, tuple[str, ...], tuple[str, ...]]] = {
    "frames of curves": (cmd_eval, CURVES, ("--frames", ".")),
    "seed of one tracker": (cmd_eval, RESULTS, ("--seed", "1")),
    "epochs": (cmd_train, ("--recipe", "b3"), ("--epochs", "3")),
    "shards": (cmd_train, ("--recipe", "b3"), ("--shards", ".")),
    "batch": (cmd_train, ("train", "--recipe", "b3"), ("--batch-size", "5")),
    "frames of no sequence": (prep, ("synth", "--sequences", "0"), ("--frames", "3")),
    "twins of no sequence": (prep, ("synth", "--tracking", "0"), ("--tracking-rgb",)),
    "tracking": (prep, ("synth", "--tracking", "0"), ("--tracking-frames", "60")),
}


@pytest.mark.parametrize("case", IDLE)
def test_an_option_without_effect_is_refused_with_what_would_use_it(tmp_path: Path, case: str) -> None:
    command, words, idle = IDLE[case]
    result = CliRunner().invoke(command, [*words, *idle, "--out", str(tmp_path / "out")])
    told(result, 2, f"{idle[0]} has no effect here, it is for ")
    assert list(tmp_path.iterdir()) == []


def test_run_refuses_alike(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="--frames has no effect"):
        evaluate.run(evaluate.EvaluateConfig(dataset="lsotb_tir", curves=tmp_path, frames=tmp_path, out=out))
    with pytest.raises(UsageError, match="--samples-per-epoch has no effect"):
        train.run(train.TrainConfig(recipe="b3", samples_per_epoch=3, out=out))
    assert list(tmp_path.iterdir()) == []


def test_the_row_that_all_start_from_has_a_use_for_shards(tmp_path: Path) -> None:
    """Of them it decides what is held out; without them the settings of that do nothing."""
    words = ["--recipe", "a1", "--out", str(tmp_path / "out")]
    given = CliRunner().invoke(cmd_train, [*words, "--shards", str(tmp_path)])
    told(given, 3, "has no index.json")
    for setting in ("held_out=0.2", "split_seed=3"):
        told(CliRunner().invoke(cmd_train, [*words, "--set", setting]), 2, setting.partition("=")[0], "no effect here")
        told(
            CliRunner().invoke(cmd_train, [*words, "--set", setting, "--shards", str(tmp_path)]), 3, "has no index.json"
        )
