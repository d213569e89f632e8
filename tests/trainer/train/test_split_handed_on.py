"""The split of rows that train nothing, of all rows in order, and of real runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.files.json_text import write_json
from trainer.checkpoints.run_folder import MODEL, RUN, SPLIT, RunFolder
from trainer.checkpoints.weights import load_weights
from trainer.data.split.record import Known, Split, read_split
from trainer.data.split.side import HELD_OUT, TRAINING, Side
from trainer.pages import feeds_page
from trainer.recipes.settings import TrainConfig
from trainer.train import loop, merge, session, stage
from trainer.train.table import recipe_graph

from ..train_world import settings, shard, write_world

pytestmark = pytest.mark.usefixtures("small_training")


def parent(folder: Path, row: str, teacher: Path, sides: dict[str, Side]) -> Path:
    """A run's folder with a model and a split."""
    folder.mkdir()
    RunFolder(folder).save_model(load_weights(teacher), {"tracker": "dimp18", "recipe": row})
    split = Split(0.1, 0, {key: Known(side) for key, side in sides.items()})
    write_json(folder / SPLIT, split.record())
    write_json(folder / RUN, {"recipe": {"name": row}, "settings": {}})
    return folder


def test_merged_rows_carry_what_their_parents_hold_out(tmp_path: Path, teacher: Path) -> None:
    b1 = parent(tmp_path / "b1", "b1", teacher, {"m|a": TRAINING, "m|b": HELD_OUT})
    b2 = parent(tmp_path / "b2", "b2", teacher, {"m|b": HELD_OUT, "m|c": TRAINING})
    merge.merge_runs(b1, b2, tmp_path / "merged")
    stage.train_one(settings(tmp_path, tmp_path / "b3", recipe="b3", init=(b2, b1)))
    for run in ("merged", "b3"):
        sides = {key: known.side for key, known in read_split(tmp_path / run / SPLIT).sequences.items()}
        assert sides == {"m|a": TRAINING, "m|b": HELD_OUT, "m|c": TRAINING}
    strange = parent(tmp_path / "strange", "b2", teacher, {"m|b": TRAINING})
    with pytest.raises(
        UsageError, match=r"disagree about sequence m\|b: held out by the first, trained on by the second"
    ):
        merge.merge_runs(b1, strange, tmp_path / "no")
    with pytest.raises(UsageError, match=r"disagree about sequence m\|b"):
        stage.train_one(settings(tmp_path, tmp_path / "no", recipe="b3", init=(b1, strange), dry_run=True))
    assert not (tmp_path / "no").exists()


def test_a_teacher_that_is_a_run_is_kept_to_as_a_parent_is(tmp_path: Path, teacher: Path) -> None:
    """What it trained on is not held out, nor the other way round; where that cannot be, it is refused."""
    world = write_world(tmp_path / "s", shard(6, 2), manifest="m")
    for number, sides in enumerate([(HELD_OUT, TRAINING), (TRAINING, HELD_OUT)]):
        named = {f"m|video-{place}": side for place, side in enumerate(sides)}
        taught = parent(tmp_path / f"teacher{number}", "a1", teacher, named)
        for path in (taught, taught / MODEL):
            run = session.prepare(settings(world, tmp_path / "run", recipe="b1", teacher=str(path)))
            assert {key: run.data.split.sequences[key].side for key in named} == named
            kinds = {run.data.source.names[pair][1][:7] for pair in run.data.validation_pairs}
            assert {f"video-{sides.index(HELD_OUT)}"} <= kinds
            assert f"video-{sides.index(TRAINING)}" not in kinds
    start = parent(tmp_path / "start", "a1", teacher, {"m|video-0": TRAINING})
    told = r"disagree about sequence m\|video-0: (trained on|held out) by the first"
    with pytest.raises(UsageError, match=rf"start and .*teacher0 {told}"):
        session.prepare(
            settings(world, tmp_path / "run", recipe="b1", init=(start,), teacher=str(tmp_path / "teacher0"))
        )
    every = settings(world, tmp_path / "all", recipe="all", init=(start,), teacher=str(tmp_path / "teacher0"))
    with pytest.raises(UsageError, match=rf"recipe b1: .*a1 and .*teacher0 {told}"):
        stage.run(every)
    assert not (tmp_path / "all").exists()


def table(out: Path, worlds: dict[str, Path], **changes: Any) -> TrainConfig:
    return settings(out, out, recipe="all", epochs=1, held_out=0.4, **changes).model_copy(
        update={"shards": tuple(worlds.values())}
    )


def test_the_first_row_decides_for_all_from_all_shards(tmp_path: Path, teacher: Path) -> None:
    """By itself, the mining method that lost sequences would cut what is left, and its row would contradict b3."""
    lost = tuple(f"video-{number}/" for number in range(6) if number not in (2, 3))
    contents = {"center": shard(6, 4, method="center"), "random": shard(6, 4, method="random", gone=lost)}
    worlds = {method: write_world(tmp_path / method, content, manifest="m") for method, content in contents.items()}
    steps = recipe_graph.plan_rows(table(tmp_path / "RUNS", worlds, init=(teacher,))).steps
    configs = {step.recipe.name: step.config for step in steps if step.config}
    stage.train_one(configs["a1"])
    split = read_split(tmp_path / "RUNS/a1" / SPLIT)
    assert set(split.sequences) == {f"m|video-{number}" for number in range(6)}
    other = {"shards": (worlds["random"],), "force": True}
    for config in (each for each in configs.values() if each.recipe in ("b1", "c1")):
        row = session.prepare(config.model_copy(update=other)).data
        assert row.split == split
    alone = session.prepare(configs["b1"].model_copy(update={"init": ()} | other)).data
    assert alone.split.sequences["m|video-3"].side != split.sequences["m|video-3"].side, "or nothing is shown"


def test_a_page_of_feeds_shows_nothing_that_is_held_out(tmp_path: Path) -> None:
    world = write_world(tmp_path / "shards", shard(6, 2), manifest="m")
    sides = {f"m|video-{number}": HELD_OUT for number in range(5)} | {"m|video-5": TRAINING}
    write_json((tmp_path / "run").mkdir() or tmp_path / "run" / RUN, {"settings": {}})
    write_json(tmp_path / "run" / SPLIT, Split(0.7, 3, {key: Known(side) for key, side in sides.items()}).record())
    page = feeds_page.draw_feeds([world], "b2", "dimp18", 4, 0, init=[tmp_path / "run"])
    assert set(re.findall(r"video-\d", page)) == {"video-5"}
    assert "4 pairs of 2" in page


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_real_pretraining_and_its_child(tmp_path: Path) -> None:
    """Each measured, and the child gone on with after its parent is gone."""
    whole, less = (
        write_world(tmp_path / name, shard(6, 4, method=method, gone=gone), manifest="m")
        for name, method, gone in (("whole", "detection", ()), ("less", "center", ("video-0/", "video-3/0/")))
    )
    options: dict[str, Any] = {"held_out": 0.3, "held_out_samples": 1}
    pretrain = settings(whole, tmp_path / "pretrain", recipe="pretrain", **options)
    loop.train_row(pretrain.model_copy(update={"batch_size": 8, "samples_per_epoch": 8, "epochs": 1}))
    child = settings(less, tmp_path / "b1", recipe="b1", init=(tmp_path / "pretrain",), **options)
    loop.train_row(child.model_copy(update={"epochs": 1}))
    first, second = (json.loads((tmp_path / run / SPLIT).read_text()) for run in ("pretrain", "b1"))
    assert first == second
    assert json.loads((tmp_path / "b1" / RUN).read_text())["pairs"]["held_out"]
    for name in (RUN, SPLIT):
        (tmp_path / "pretrain" / name).unlink()
    assert loop.train_row(child).epochs == 2
    assert json.loads((tmp_path / "b1" / SPLIT).read_text()) == second
