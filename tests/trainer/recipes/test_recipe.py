"""Recipes as data: the rows of Table 1, and the settings of a run with their overrides."""

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from trainer.recipes.geometry import geometry_of
from trainer.recipes.recipe import load_recipe, read_recipe, recipe_names, recipe_sha256, rows_of
from trainer.recipes.settings import configure

BASE: dict[str, Any] = {"shards": (Path("shards"),), "recipe": "c1", "out": Path("run")}
ONE, MIX = ("tir", "rgb"), ("rgb-tir", "tir-rgb")
JOINT = {"bbe": 1e-7, "tcl": 2e-8}
ENDS = ("b3", "c1")
TABLE_1: dict[str, Any] = {
    "a1": ({}, ("rgb", "rgb"), None, (), {}, (66.2, 78.7, 70.7)),
    "b1": ({"bbe": "reference"}, ONE, "center", ("a1",), {"bbe": 1e-6}, (67.4, 80.4, 72.1)),
    "b2": ({"bbe": "test"}, ONE[::-1], "center", ("a1",), {"bbe": 1e-6}, (67.2, 80.1, 71.9)),
    "b3": ({}, ("tir", "tir"), None, ("b1", "b2"), {}, (67.8, 80.8, 72.5)),
    "c1": ({"tcl": "reference"}, ONE, "center", ("a1",), {"tcl": 1e-6}, (67.7, 80.7, 72.5)),
    "c1f": ({"tcl": "reference"}, ONE, "center", ("a1",), {"tcl": 1e-6}, (67.7, 80.7, 72.5)),
    "d1": ({"bbe": "test", "tcl": "test"}, ONE[::-1], "center", ENDS, JOINT, (67.1, 79.7, 71.8)),
    "d2": ({"bbe": "reference", "tcl": "reference"}, ONE, "center", ENDS, JOINT, (67.6, 80.6, 72.3)),
    "d3": ({"bbe": "both", "tcl": "both"}, MIX, "center", ENDS, JOINT, (68.0, 80.8, 72.7)),
    "d4": ({"bbe": "both", "tcl": "both"}, MIX, "random", ENDS, JOINT, (67.3, 80.2, 72.1)),
    "d5": ({"bbe": "both", "tcl": "both"}, MIX, "detection", ENDS, JOINT, (67.5, 80.4, 72.3)),
    "atom_b1": ({"bbe": "reference"}, ONE, "center", ("a1",), {"bbe": 1e-6}, ()),
    "atom_b2": ({"bbe": "test"}, ONE[::-1], "center", ("a1",), {"bbe": 1e-6}, ()),
    "atom_b3": ({}, ("tir", "tir"), None, ("atom_b1", "atom_b2"), {}, ()),
    "k3": ({"bbe": "both", "tcl": "both"}, ("tir", "tir"), "detection", ("a1",), {"bbe": 1e-6, "tcl": 1e-6}, ()),
    "t3": ({"bbe": "both", "tcl": "both"}, MIX, "detection-tubes", ENDS, JOINT, ()),
    "t4": ({"bbe": "both", "tcl": "both"}, MIX, "random-tubes", ENDS, JOINT, ()),
    "atom_t3": ({"bbe": "both"}, MIX, "detection-tubes", ("atom_b3",), {"bbe": 1e-6}, ()),
    "atom_t4": ({"bbe": "both"}, MIX, "random-tubes", ("atom_b3",), {"bbe": 1e-6}, ()),
    "atom": ({"bbe": "both"}, MIX, "center", ("atom_b3",), {"bbe": 1e-6}, (2.3, 2.7, 2.5)),
}

BEYOND = ("k3", "t3", "t4", "atom_t3", "atom_t4")
"""Of which the paper has no row."""


@pytest.mark.parametrize("name", TABLE_1)
def test_a_recipe_is_its_row_of_table_1(name: str) -> None:
    recipe = load_recipe(name)
    trains, fed, patches, parents, rates, paper = TABLE_1[name]
    assert (recipe.name, recipe.trains, (recipe.reference, recipe.test)) == (name, trains, fed)
    assert (recipe.patches, recipe.starts_from, recipe.rates) == (patches, parents, rates)
    assert tuple(recipe.paper.values()) == paper
    assert recipe.mixed == (fed == MIX)
    own = {"c1f": {"tcl_features": "trained"}, "k3": {"losses": "answers"}}
    assert recipe.settings == own.get(name, {})
    assert ("settings" in recipe.record()) == (name in own)
    assert recipe.beyond == ("beyond" in recipe.record()) == (name in BEYOND)


def test_what_ships_is_what_is_listed_every_row_after_its_parents() -> None:
    shipped = {
        file.name.removesuffix(".yaml") for file in files("trainer.recipes.table1").iterdir() if "yaml" in file.name
    }
    names = recipe_names()
    assert sorted(names) == sorted(shipped) == sorted([*TABLE_1, "pretrain"])
    for place, name in enumerate(names):
        assert set(load_recipe(name).starts_from) <= set(names[:place])


@pytest.mark.parametrize("tracker", ["dimp50", "atom", "nanotrack_v2"])
def test_a_row_of_tubes_is_one_of_the_table_on_other_patches(tracker: str) -> None:
    rows = rows_of(geometry_of(tracker))
    table = next(row for row in rows if row.name in ("d3", "atom"))
    found = [row for row in rows if row.beyond]
    assert [row.patches for row in found] == ["detection-tubes", "random-tubes"]
    assert rows[-2:] == found, "after the chain that they start from"
    labels = {"name", "patches", "beyond", "paper"}
    assert all(row.model_dump(exclude=labels) == table.model_dump(exclude=labels) for row in found)


def test_pretrain_takes_what_the_base_tracker_was_trained_with() -> None:
    recipe = load_recipe("pretrain")
    assert recipe.trained(geometry_of("atom")) == ("bbe",)
    assert recipe.trained(geometry_of("dimp18")) == ("bbe", "tcl", "backbone")
    assert recipe.rate("bbe", geometry_of("dimp50")) == 2e-4
    config = configure(BASE | {"recipe": "pretrain"}, ())
    assert config.batch(recipe, geometry_of("dimp50")) == 10
    assert (config.samples_per_epoch, config.gamma, config.step, config.epochs) == (26_000, 0.2, 15, 50)
    samples = {}
    for tracker in ("superdimp", "atom"):
        samples[tracker] = configure(BASE | {"recipe": "pretrain"}, (f"tracker={tracker}",)).samples_per_epoch
    assert samples == {"superdimp": 40_000, "atom": 64_000}
    given = configure(BASE | {"recipe": "pretrain", "tracker": "atom", "samples_per_epoch": 8}, ("gamma=.5",))
    assert (given.samples_per_epoch, given.gamma) == (8, 0.5)
    assert config.batch(load_recipe("c1"), geometry_of("dimp50")) == 5
    for tracker, size, least in (("dimp50", 4, 8), ("nanotrack_v2", 1, 2)):
        small = configure(BASE, (f"batch_size={size}", f"tracker={tracker}"))
        with pytest.raises(
            UsageError, match=f"batch-norms of {tracker} learn their statistics from a batch of {least} at least"
        ):
            small.batch(recipe, geometry_of(tracker))


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_file_begins_with_its_command_and_ends_with_the_papers_result(name: str) -> None:
    lines = (files("trainer.recipes.table1") / f"{name}.yaml").read_text().splitlines()
    assert lines[0].startswith("# cmd-train ")
    assert f"--recipe {name} " in lines[0]
    assert lines[-1].startswith("paper: {")
    assert len(lines) <= 12


def test_the_paper_s_settings_are_the_defaults() -> None:
    config = configure(BASE, ())
    assert (config.epochs, config.samples_per_epoch) == (50, 26_000)
    assert (config.gamma, config.step, config.mu, config.nu, config.weight) == (0.5, 15, 0, 0, 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("patches: center\nspeed: 3", "speed"),
        ("patches: two words", "patches"),
        ("patches: center\nrates: {tcl: 1e-6}", "rates name"),
        ("patches: center\ntest: tir", "no row of Table 1"),
        ("patches: [", "mend that line"),
        ("", "patches go with"),
        ("patches: null", "patches go with a row that trains something"),
        ("patches: ~", "patches go with a row that trains something"),
        ("patches: ", "patches go with a row that trains something"),
        ("patches: center\ntrains: {bbe: reference, tcl: test}\nrates: {bbe: 1.0e-6, tcl: 1.0e-6}", "same branch"),
        ("patches: center\ntrains: {backbone: both}\nrates: {backbone: 1.0e-6}", "on RGB alone"),
        ("patches: center\nsettings: {tracker: atom}", "settings cannot name tracker"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_by_name_and_key(tmp_path: Path, change: str, told: str) -> None:
    lines = "name: own\nbase: dimp\ntrains: {bbe: reference}\nreference: tir\ntest: rgb\nstarts_from: [a1]"
    keys = dict(line.split(": ", 1) for line in f"{lines}\nrates: {{bbe: 1.0e-6}}\npaper: {{}}".splitlines())
    own = {"patches": "center"}, dict(line.split(": ", 1) for line in change.splitlines())
    file = tmp_path / "own.yaml"
    for changed in own:
        file.write_text("".join(f"{key}: {value}\n" for key, value in (keys | changed).items()))
        if changed is own[0]:
            assert read_recipe(file, "own").name == "own"
    with pytest.raises(UsageError, match=f"recipe own[:,] .*{told}"):
        read_recipe(file, "own")


@pytest.mark.parametrize("word", ["patches: null\n", "patches: ~\n", "patches:\n", ""])
def test_a_row_that_trains_nothing_may_say_that_it_wants_no_patches(tmp_path: Path, word: str) -> None:
    file = tmp_path / "own.yaml"
    text = "name: own\nbase: any\ntrains: {}\nreference: tir\ntest: rgb\nstarts_from: [a1]\nrates: {}\npaper: {}\n"
    file.write_text(text + word)
    assert read_recipe(file, "own").patches is None


def test_a_recipe_may_want_the_patches_of_a_method_of_one_s_own(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    rows = ("name: own", "base: dimp", "trains: {bbe: test}", "reference: rgb", "test: tir", "starts_from: [a1]")
    file.write_text("\n".join([*rows, "patches: my_methods:Edges", "rates: {bbe: 1.0e-6}", "paper: {}"]))
    assert read_recipe(file, "own").patches == "my_methods:Edges"


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("name: own\nname: other\n")
    with pytest.raises(UsageError, match="recipe own, line 2: key 'name' stands twice"):
        read_recipe(file, "own")


def test_a_recipe_may_have_defaults_of_its_own_which_whoever_types_one_overrides(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN + "settings: {gamma: 0.25, seed: 3, losses: paper}\n")
    given = BASE | {"recipe": str(file)}
    config = configure(given | {"seed": 4}, ("losses=tracker",))
    assert (config.gamma, config.seed, config.losses) == (0.25, 4, "tracker")
    file.write_text(OWN + "settings: {gama: 0.25}\n")
    with pytest.raises(UsageError, match=r"setting gama: .*did you mean gamma\?"):
        configure(given, ())


def test_an_unknown_recipe_is_refused_with_the_list() -> None:
    with pytest.raises(UsageError, match=r"no recipe 'z9': there are pretrain, a1, b1, .*, and all"):
        load_recipe("z9")
    for typed, meant in (("pretain", "pretrain"), ("D3", "d3")):
        with pytest.raises(UsageError, match=rf"no recipe '{typed}': did you mean {meant}\? there are "):
            load_recipe(typed)


OWN = (
    "name: slow\nbase: any\ntrains: {bbe: reference}\nreference: tir\ntest: rgb\npatches: random\n"
    "starts_from: [a1]\nrates: {bbe: 1e-7}\npaper: {}\n"
)


def test_a_recipe_of_one_s_own_is_read_from_any_file_and_told_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(OWN)
    recipe = load_recipe(str(file))
    assert (recipe.name, recipe.patches, recipe.rates) == ("slow", "random", {"bbe": 1e-7})
    assert recipe_sha256(str(file)) == hashlib.sha256(OWN.encode()).hexdigest()
    assert recipe_sha256("d3") is None
    assert "slow" not in recipe_names()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("name: slow", "name: d3"), "name: d3 is taken by a recipe that ships"),
        (("name: slow", "name: all"), "name: all is taken"),
        (("[a1]", "[b3, mine]"), "starts_from: mine is none of pretrain, a1"),
        (("base: any", "base: nano"), "base: "),
    ],
)
def test_a_recipe_of_one_s_own_that_does_not_fit_is_refused(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(OWN.replace(*change))
    with pytest.raises(UsageError, match=f"recipe .*mine.yaml: {told}"):
        load_recipe(str(file))
    with pytest.raises(UsageError, match=r"cannot read recipe .*none.yaml"):
        load_recipe(str(tmp_path / "none.yaml"))


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
        ("epoch=3", r"setting epoch: .*did you mean epochs\? known settings: .*epochs"),
        (
            "tcl_loss=lbhing",
            r"setting tcl_loss: no classification loss .*'lbhing': did you mean lbhinge\? choose lbhinge, l2",
        ),
        ("bbe_loss=[1]", "setting bbe_loss: "),
        ("tracker=dimp51", r"setting tracker: unknown tracker 'dimp51': did you mean dimp50\? choose one of dimp18"),
        ("rates.c1=3", r"setting rates.c1: .*known settings: backbone, bbe, filter_optimizer, tcl\)"),
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
        ("epochs=9", "device=cpu", "loader_workers=0", "on_existing=fail"),
    )
    assert first.identity() == other.identity()
    for override in (
        "seed=1",
        "batch_size=3",
        "rates.tcl=1e-3",
        "rate_scale=2",
        "losses=paper",
        "held_out_samples=3",
        "mu=.1",
    ):
        assert configure(BASE, (override,)).identity() != first.identity()
