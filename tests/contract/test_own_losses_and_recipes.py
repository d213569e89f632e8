"""A loss and a recipe of one's own, through the real command: no fork, and tied to the run by their content."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trainer.commands.train import main

from ..trainer.train_world import shard, small_windows, write_world

LOSS = '''"""Losses of one's own."""


def absolute(scores, label, factor=2.0):
    """Mean absolute error of the response."""
    return factor * (scores - label).abs().mean()


def grid(scores, label):
    return scores - label


def wishful(scores, truth):
    return scores
'''
RECIPE = (
    "name: late\nbase: dimp\ntrains: {tcl: reference}\nreference: tir\ntest: rgb\npatches: random\n"
    "starts_from: [a1]\nrates: {tcl: 1e-5}\npaper: {}\n"
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"), shard(method="random"))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with a module of losses and a recipe."""
    small_windows(monkeypatch)
    (tmp_path / "own_losses.py").write_text(LOSS)
    (tmp_path / "late.yaml").write_text(RECIPE)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("own_losses", None)


def train(own: Path, world: Path, *words: object) -> int:
    given = ["--shards", world, "--tracker", "dimp18", "--device", "cpu", "--out", own / "run", "--recipe"]
    given += [own / "late.yaml", "--epochs", 1, "--samples-per-epoch", 2, "--batch-size", 2, "--loader-workers", 0]
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in (*given, "--set", "held_out_samples=0", *words)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def told(own: Path) -> dict[str, Any]:
    return dict(json.loads((own / "run/run.json").read_text()))


def test_a_run_takes_both_and_says_what_they_were(own: Path, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--set", "tcl_loss=own_losses:absolute")
    assert train(own, world, *words) == 0
    assert "late" in capsys.readouterr().out
    run = told(own)
    assert run["losses"] == {"tcl": "own_losses:absolute", "bbe": "iou"}
    assert run["loss_sha256"] == {"tcl": hashlib.sha256(LOSS.encode()).hexdigest()}
    assert run["recipe_sha256"] == hashlib.sha256(RECIPE.encode()).hexdigest()
    assert (run["recipe"]["name"], run["rates"]) == ("late", {"tcl": 1e-5})
    assert json.loads((own / "run/model.json").read_text())["recipe"] == "late"
    # Where the file lies does not matter, what is in it does.
    (own / "late.yaml").rename(own / "moved.yaml")
    assert train(own, world, *words, "--recipe", own / "moved.yaml") == 0
    (own / "late.yaml").write_text(RECIPE.replace("1e-5", "1e-4"))
    assert train(own, world, *words) == 2
    assert "(recipe_sha256: " in capsys.readouterr().err
    (own / "late.yaml").write_text(RECIPE)
    (own / "own_losses.py").write_text(LOSS.replace("2.0", "3.0"))
    assert train(own, world, *words) == 2
    assert "own_losses.py changed after this process had imported it" in capsys.readouterr().err
    # As in another process.
    del sys.modules["own_losses"]
    assert train(own, world, *words) == 2
    assert "(loss_sha256.tcl: " in capsys.readouterr().err
    assert train(own, world) == 2
    assert "-> None; tcl_loss: own_losses:absolute -> None)" in capsys.readouterr().err


def test_a_shipped_recipe_with_listed_losses_says_nothing_of_hashes(own: Path, world: Path) -> None:
    assert train(own, world, "--recipe", "c1", "--set", "tcl_loss=l2", "--force") == 0
    assert not {"loss_sha256", "recipe_sha256", "results"} & told(own).keys()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--set", "tcl_loss=lbhinged"), "did you mean lbhinge? choose lbhinge, l2"),
        (("--set", "bbe_loss=nowhere:loss"), "box loss nowhere:loss: No module named 'nowhere'"),
        (("--set", "tcl_loss=own_losses:none"), "own_losses has no none"),
        (("--set", "tcl_loss=own_losses:wishful"), "takes 'truth': name parameters out of scores, filters"),
        (("--set", "tcl_loss=own_losses:grid"), "own_losses:grid: returned tensor"),
        (("--recipe", "nowhere.yaml"), "cannot read recipe nowhere.yaml"),
        (("--recipe", "pretrian"), "did you mean pretrain?"),
        (("--tracker", "dimp19"), "did you mean dimp18?"),
        (("--set", "head_step=3"), "did you mean head_steps?"),
    ],
)
def test_what_is_not_there_is_one_line_that_says_what_is(
    own: Path, world: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], line: str
) -> None:
    assert train(own, world, *words) == 2
    errors = [each for each in capsys.readouterr().err.splitlines() if each.startswith("error: ")]
    assert len(errors) == 1
    assert line in errors[0]
