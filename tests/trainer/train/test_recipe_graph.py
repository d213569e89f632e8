"""``--recipe all``: rows in order, from their parents, skipping what is done and naming what is left out."""

import re
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.files.hashing import file_sha256
from pipeline.files.json_text import write_json
from pipeline.runtime import progress
from pipeline.runtime.progress import ProgressBar
from pipeline.shards.index import load_index
from trainer.checkpoints.run_folder import META, MODEL, REPORT, RUN
from trainer.checkpoints.weights import load_weights
from trainer.data.shards import fingerprint, open_source
from trainer.data.split.side import place_of
from trainer.recipes.recipe import load_recipe
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import TrainConfig
from trainer.train import stage
from trainer.train.table import recipe_graph

from ..train_world import settings, shard, tracked, write_world

pytestmark = pytest.mark.usefixtures("small_training")
DIMP = ["a1", "b1", "b2", "b3", "c1", "c1f", "d1", "d2", "d3", "d4", "d5", "t3", "t4"]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One folder of shards a kind of patches."""
    root = tmp_path_factory.mktemp("shards")
    plain = {method: shard(3, 2, method=method) for method in ("center", "random", "detection")}
    followed = {f"{method}-tubes": shard(3, 2, method=method, tubes=True) for method in ("random", "detection")}
    return {kind: write_world(root / kind, content) for kind, content in (plain | followed).items()}


def config(worlds: dict[str, Path], out: Path, *methods: str, **changes: Any) -> Any:
    base = settings(out, out, recipe="all", epochs=1, **changes)
    return base.model_copy(update={"shards": tuple(worlds[method] for method in methods)})


def states(steps: Iterable[recipe_graph.Step]) -> dict[str, str]:
    return {step.recipe.name: step.state for step in steps}


def test_rows_without_their_shards_or_parents_are_left_out_and_told(worlds: dict[str, Path], tmp_path: Path) -> None:
    steps = recipe_graph.plan_rows(config(worlds, tmp_path, "random")).steps
    assert [step.recipe.name for step in steps] == DIMP
    told = {step.recipe.name: (step.state, step.why) for step in steps}
    assert told["a1"][0] == "to do"
    assert told["b1"] == ("left out", "no --shards were mined with --method center")
    assert told["b3"] == ("left out", "b1, b2 is left out, and it starts from that")
    assert told["d4"][0] == "left out"
    assert told["t3"] == ("left out", "b3, c1 is left out, and it starts from that")
    center = recipe_graph.plan_rows(config(worlds, tmp_path, "center", "detection")).steps
    assert {step.recipe.name: step.why for step in center if step.state == "left out"} == {
        "d4": "no --shards were mined with --method random",
        "t3": "no --shards were mined with --method detection --tubes",
        "t4": "no --shards were mined with --method random --tubes",
    }


def test_rows_of_tubes_take_tubes_and_the_others_none(worlds: dict[str, Path], tmp_path: Path) -> None:
    steps = {step.recipe.name: step.config for step in recipe_graph.plan_rows(config(worlds, tmp_path, *worlds)).steps}
    taken = {name: tuple(each.shards) for name, each in steps.items() if each and each.recipe not in ("a1", "b3")}
    assert {taken.pop("t3"), taken.pop("t4")} == {(worlds["detection-tubes"],), (worlds["random-tubes"],)}
    assert {taken.pop("d4"), taken.pop("d5")} == {(worlds["random"],), (worlds["detection"],)}
    assert set(taken.values()) == {(worlds["center"],)}
    assert steps["t3"] is not None
    assert steps["t3"].init == (tmp_path / "b3", tmp_path / "c1")


def test_all_rows_take_the_patches_that_are_asked_for_and_none_is_trained_twice(
    worlds: dict[str, Path], tmp_path: Path
) -> None:
    asked = config(worlds, tmp_path, *worlds, patches="tubes")
    steps = recipe_graph.plan_rows(asked).steps
    tubes = (worlds["random-tubes"], worlds["detection-tubes"])
    for step in steps:
        if step.config and step.recipe.trains:
            assert (step.config.shards, resolve_row(step.config).instants) == (tubes, "two"), step.recipe.name
    assert {step.recipe.name: step.why for step in steps if step.state == "left out"} == dict.fromkeys(
        ("d4", "d5", "t3", "t4"), "with --patches tubes it is d3"
    )
    assert steps[0].config is not None
    assert (steps[0].config.shards, steps[0].config.patches) == (tuple(worlds.values()), None), "a1 sees all"
    told = "--patches detection: these shards hold center, random: .*: cmd-prep mine .* --method detection"
    with pytest.raises(UsageError, match=told):
        recipe_graph.plan_rows(config(worlds, tmp_path, "center", "random", patches="detection"))


def test_each_row_gets_its_shards_parents_and_only_the_settings_it_has_a_use_for(
    worlds: dict[str, Path], tmp_path: Path
) -> None:
    changes: dict[str, Any] = {"rates": {"tcl": 1e-4}, "rate_scale": 3.0, "mix": "spatial", "teacher": "a1"}
    every = config(worlds, tmp_path, "center", "random", "detection", **changes)
    found = {step.recipe.name: step.config for step in recipe_graph.plan_rows(every).steps}
    b1, d2, d5 = found["b1"], found["d2"], found["d5"]
    assert b1 is not None
    assert d2 is not None
    assert d5 is not None
    assert (b1.init, b1.shards) == ((tmp_path / "a1",), (worlds["center"],))
    assert (b1.rates.tcl, d5.rates.tcl) == (None, 1e-4)
    assert resolve_row(b1).rates == {"bbe": pytest.approx(3e-6)}
    assert resolve_row(d5).rates == {"bbe": pytest.approx(3e-7), "tcl": pytest.approx(3e-4)}
    assert (b1.mix, d5.mix) == ("batch", "spatial")
    assert (d2.teacher, d5.teacher) == (str(tmp_path / "a1"), "init")
    assert (d5.init, d5.shards) == ((tmp_path / "b3", tmp_path / "c1"), (worlds["detection"],))


def test_a_default_of_a_row_s_own_holds_until_that_is_set_for_all(worlds: dict[str, Path], tmp_path: Path) -> None:
    for changes, told in (
        ({}, {"c1": "frozen", "c1f": "trained"}),
        ({"tcl_features": "trained"}, {"c1": "trained", "c1f": "trained"}),
    ):
        steps = recipe_graph.plan_rows(config(worlds, tmp_path, "center", **changes)).steps
        rows = {step.recipe.name: step.config for step in steps if step.config}
        assert {name: rows[name].tcl_features for name in told} == told
        assert rows["d3"].init == (tmp_path / "b3", tmp_path / "c1"), "c1f is a leaf"


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_a_later_row_would_refuse_is_refused_before_the_first_one_runs(
    worlds: dict[str, Path], tmp_path: Path, dry_run: bool
) -> None:
    known = worlds | {"center": write_world(tmp_path / "shards", tracked(sequences=3, frames=2))}
    # One of the sequences alone, and one that trains.
    kept = max(range(3), key=lambda number: place_of(0, f"tiny|video-{number}"))
    gone = tuple(f"video-{number}/" for number in range(3) if number != kept)
    lone = worlds | {"random": write_world(tmp_path / "lone", shard(3, 2, method="random", gone=gone))}
    out = tmp_path / "out"
    cases: list[tuple[dict[str, Path], dict[str, Any], str]] = [
        (worlds, {"instants": "two"}, "recipe b1: setting instants=two: the shards know no object at two instants"),
        (known, {"instants": "two"}, "recipe d4: setting instants=two: the shards know no object at two instants"),
        (lone, {"pairs": "shuffled"}, "recipe d4: setting pairs: shuffled takes TIR of another sequence, and there is"),
        (worlds, {"teacher": str(tmp_path / "gone")}, "recipe b1: setting teacher .*gone: no such file"),
    ]
    for shards, changes, told in cases:
        asked = config(shards, out, "center", "random", dry_run=dry_run, **changes)
        with pytest.raises(UsageError, match=told):
            stage.run(asked)
        assert not out.exists()
    for teacher in (out / "a1", tmp_path / "gone" / ".." / "out" / "a1", out / "a1" / MODEL):
        stage.run(config(worlds, out, "center", dry_run=True, teacher=str(teacher)))
    table = stage.run(config(known, out, "center", dry_run=True, instants="two"))
    assert isinstance(table, recipe_graph.TrainedTable)
    assert states(table.steps)["d3"] == "to do"


def test_all_rows_together_hash_a_shard_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []

    def spy(path: Path) -> str:
        hashed.append(path)
        return file_sha256(path)

    monkeypatch.setattr("pipeline.shards.index.file_sha256", spy)
    fresh = {method: write_world(tmp_path / method, shard(3, 2, method=method)) for method in ("center", "random")}
    recipe_graph.train_rows(config(fresh, tmp_path / "out", *fresh), lambda row: row.shards and open_source(row.shards))
    assert sorted(hashed) == sorted(folder / "shard-00000.h5" for folder in fresh.values())


def test_atom_has_its_own_rows(worlds: dict[str, Path], tmp_path: Path) -> None:
    steps = recipe_graph.plan_rows(config(worlds, tmp_path, "center", tracker="atom")).steps
    assert [step.recipe.name for step in steps] == ["a1", "atom_b1", "atom_b2", "atom_b3", "atom", "atom_t3", "atom_t4"]


def done(worlds: dict[str, Path], out: Path, row: str, **settings: Any) -> None:
    """A row's folder as a finished run of one epoch leaves it, without its weights."""
    (out / row).mkdir(parents=True)
    asked = next(
        step.config for step in recipe_graph.plan_rows(config(worlds, out, "center")).steps if step.recipe.name == row
    )
    assert asked is not None
    shards = fingerprint([load_index(worlds["center"])])
    write_json(out / row / RUN, {"settings": asked.record() | settings, "shards": shards})
    write_json(out / row / META, {"tracker": "dimp18", "epoch": 1})
    for name in (MODEL, REPORT):
        (out / row / name).touch()


def test_a_row_that_is_done_is_kept_overwritten_or_refused(worlds: dict[str, Path], tmp_path: Path) -> None:
    done(worlds, tmp_path, "b1")
    for on_existing, state in (("resume", "done"), ("overwrite", "to do")):
        asked = config(worlds, tmp_path, "center", on_existing=on_existing)
        assert states(recipe_graph.plan_rows(asked).steps)["b1"] == state
        rows = stage.run(asked.model_copy(update={"dry_run": True})).rows()
        assert next(row[1] for row in rows if row[0] == "b1") == state, "a dry run tells it"
    with pytest.raises(UsageError, match=r"b1 already holds model\.safetensors"):
        recipe_graph.train_rows(config(worlds, tmp_path, "center", on_existing="fail"), stage.train_one)
    assert not (tmp_path / "a1").exists(), "told before the first row is run"


def test_a_row_without_its_report_is_gone_on_with(worlds: dict[str, Path], tmp_path: Path) -> None:
    done(worlds, tmp_path, "b1")
    (tmp_path / "b1" / REPORT).unlink()
    assert states(recipe_graph.plan_rows(config(worlds, tmp_path, "center")).steps)["b1"] == "to resume"


def test_a_row_that_was_trained_otherwise_is_refused(worlds: dict[str, Path], tmp_path: Path) -> None:
    done(worlds, tmp_path, "b1")
    with pytest.raises(UsageError, match=r"b1 was made with other settings or input \(seed: 0 -> 1\)"):
        recipe_graph.plan_rows(config(worlds, tmp_path, "center", seed=1))
    other = write_world(tmp_path / "shards", shard(4, 2, method="center"))
    with pytest.raises(UsageError, match=r"b1 was made with other settings or input \(shards: "):
        recipe_graph.plan_rows(config(worlds | {"center": other}, tmp_path, "center"))


@pytest.mark.parametrize(("then", "now"), [(None, 160), (160, None), (160, 176)])
def test_a_row_of_another_window_is_refused_and_every_row_gets_the_one_that_is_asked_for(
    worlds: dict[str, Path], tmp_path: Path, then: int | None, now: int | None
) -> None:
    done(worlds, tmp_path, "b1", window=then)
    with pytest.raises(UsageError, match=rf"b1 was made with other settings or input \(window: {then} -> {now}\)"):
        recipe_graph.plan_rows(config(worlds, tmp_path, "center", window=now))
    steps = recipe_graph.plan_rows(config(worlds, tmp_path, *worlds, window=then)).steps
    assert {step.config.window for step in steps if step.config} == {then}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tracker", ["dimp18", "atom"])
def test_the_whole_graph_runs_and_then_has_nothing_to_do(worlds: dict[str, Path], tmp_path: Path, tracker: str) -> None:
    asked = config(worlds, tmp_path, *worlds, tracker=tracker)
    done = recipe_graph.train_rows(asked, stage.train_one).steps
    assert set(states(done).values()) == {"done"}
    models = {step.recipe.name: load_weights(tmp_path / step.recipe.name / MODEL) for step in done}
    last = list(models)[-1]
    moved = {name for name, value in models[last].items() if not value.equal(models["a1"][name])}
    assert moved
    assert not any(name.startswith("feature_extractor.") for name in moved)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}
    recipe_graph.train_rows(asked, stage.train_one)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}
    with pytest.raises(UsageError, match="take another --out"):
        recipe_graph.plan_rows(asked.model_copy(update={"tracker": "superdimp" if tracker == "dimp18" else "dimp18"}))


def test_the_bar_of_a_row_knows_of_the_rows_after_it(
    worlds: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """At a second a sample; a1 and b3 train nothing, and the last four are left out."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def train(row: TrainConfig) -> None:
        if not load_recipe(row.recipe).trains:
            return
        with ProgressBar(row.recipe, row.samples_per_epoch, "samples") as bar:
            for _ in range(2):
                clock.now += row.samples_per_epoch / 2
                bar.advance(row.samples_per_epoch // 2)

    with caplog.at_level("INFO"):
        recipe_graph.train_rows(config(worlds, tmp_path, "center", samples_per_epoch=600), train)
    told = [line for line in caplog.messages if " 50 %" in line]
    assert [line.partition(":")[0] for line in told] == ["b1", "b2", "c1", "c1f", "d1", "d2", "d3"]
    after = [re.search("5 min left, (.*) with all", line) for line in told]
    assert [each and each[1] for each in after] == ["1.1 h", "55 min", "45 min", "35 min", "25 min", "15 min", None]
