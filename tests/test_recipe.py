"""Recipes as data: the rows of Table 1, and the settings of a run with their overrides."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from trainer.recipe import configure, load_recipe, parse_recipe, recipe_names

BASE: dict[str, Any] = {"shards": (Path("shards"),), "recipe": "c1", "out": Path("run")}
TABLE_1 = {
    "b1": ({"bbe": "reference"}, ("tir", "rgb"), ("a1",), {"bbe": 1e-6}, (67.4, 80.4, 72.1)),
    "c1": ({"tcl": "reference"}, ("tir", "rgb"), ("a1",), {"tcl": 1e-6}, (67.7, 80.7, 72.5)),
    "d3": (
        {"bbe": "both", "tcl": "both"},
        ("rgb-tir", "tir-rgb"),
        ("b3", "c1"),
        {"bbe": 1e-7, "tcl": 2e-8},
        (68.0, 80.8, 72.7),
    ),
}


@pytest.mark.parametrize("name", TABLE_1)
def test_a_recipe_is_its_row_of_table_1(name: str) -> None:
    recipe = load_recipe(name)
    trains, fed, parents, rates, paper = TABLE_1[name]
    assert (recipe.name, recipe.trains, (recipe.reference, recipe.test)) == (name, trains, fed)
    assert (recipe.starts_from, recipe.rates, tuple(recipe.paper.values())) == (parents, rates, paper)
    assert recipe.patches == "center"
    assert recipe.mixed == (name == "d3")


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_file_begins_with_its_command_and_ends_with_the_papers_result(name: str) -> None:
    lines = (files("trainer.recipes") / f"{name}.yaml").read_text().splitlines()
    assert lines[0].startswith("# cmd-train ")
    assert f"--recipe {name} " in lines[0]
    assert lines[-1].startswith("paper: {S: ")
    assert len(lines) <= 12


def test_the_paper_s_settings_are_the_defaults() -> None:
    config = configure(BASE, ())
    assert (config.epochs, config.samples_per_epoch, config.batch_size) == (50, 26_000, 5)
    assert (config.gamma, config.step, config.mu, config.nu, config.weight) == (0.5, 15, 0, 0, 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("patches: center\nspeed: 3", "speed"),
        ("patches: circle", "patches"),
        ("patches: center\nrates: {tcl: 1e-6}", "rates name"),
        ("patches: center\ntest: tir", "no row of Table 1"),
        ("patches: [", "not valid YAML"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_by_name_and_key(change: str, told: str) -> None:
    text = (
        "name: own\ntrains: {bbe: reference}\nreference: tir\ntest: rgb\nstarts_from: [a1]\nrates: {bbe: 1.0e-6}\n"
        "paper: {}\n"
    )
    assert parse_recipe(text + "patches: center", "own").name == "own"
    with pytest.raises(UsageError, match=f"recipe own: .*{told}"):
        parse_recipe(text + change, "own")


def test_an_unknown_recipe_is_refused_with_the_list() -> None:
    with pytest.raises(UsageError, match="no recipe 'z9': there are b1, c1, d3"):
        load_recipe("z9")


def test_overrides_replace_settings_of_any_kind() -> None:
    config = configure(
        BASE | {"epochs": 9}, ("rates.tcl=1e-4", "rates.bbe=2", "losses=paper", "epochs=3", "held_out=.25", "seed=7")
    )
    assert (config.rates.tcl, config.rates.bbe, config.losses) == (1e-4, 2, "paper")
    assert (config.epochs, config.held_out, config.seed) == (3, 0.25, 7)
    assert BASE.keys() == {"shards", "recipe", "out"}


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("epoch=3", r"setting epoch: .*known settings: .*epochs"),
        ("rates.c1=3", r"setting rates.c1: .*known settings: bbe, tcl\)"),
        ("epochs=many", "setting epochs: .*'many'"),
        ("epochs=0", "setting epochs: .*got 0"),
        ("rates.tcl=nan", "setting rates.tcl"),
        ("rates.tcl=-1e-6", "setting rates.tcl"),
        ("held_out=1", "setting held_out"),
        ("seed=-1", "setting seed"),
        ("losses=[1", r"--set losses=\[1"),
        ("losses", "--set losses: expected key=value"),
        ("rates=1e-4", "setting rates"),
    ],
)
def test_an_override_that_does_not_fit_is_refused_by_key(override: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        configure(BASE, (override,))


def test_what_must_not_change_on_resume_leaves_out_what_may() -> None:
    first = configure(BASE, ())
    other = configure(
        BASE | {"out": Path("b"), "shards": (Path("x"),), "init": (Path("w"),)},
        ("epochs=9", "device=cpu", "loader_workers=0", "resume=true"),
    )
    assert first.decisive() == other.decisive()
    for override in ("seed=1", "batch_size=3", "rates.tcl=1e-3", "losses=paper", "held_out_samples=3", "mu=.1"):
        assert configure(BASE, (override,)).decisive() != first.decisive()
