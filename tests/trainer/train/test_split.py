"""The split of runs and their children: what a run trained on is never held out after it, nor the other way round."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from trainer.checkpoints.run_folder import RUN, SPLIT
from trainer.data import WindowDataset
from trainer.data.split.apply import old_split_source, pairs_of
from trainer.data.split.record import read_split
from trainer.pages import feeds_page
from trainer.recipes.settings import TrainConfig
from trainer.train import stage
from trainer.train.session import Prepared, prepare

from ..train_world import settings, shard, write_world

pytestmark = pytest.mark.usefixtures("small_training")
SHARE = 0.3
Sides = dict[str, str]


def asked(shards: Path, out: Path, *init: Path, **changes: Any) -> TrainConfig:
    options: dict[str, Any] = {"held_out": SHARE, "recipe": "b1"}
    return settings(shards, out, init=init, **options | changes)


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


def begun(config: TrainConfig) -> Prepared:
    """A run's folder as one that has begun leaves it: what it is, and its split."""
    prepared = prepare(config)
    write_json(config.out / SPLIT, prepared.data.split.record())
    write_json(config.out / RUN, {"recipe": {"name": config.recipe}, "settings": config.record()})
    return prepared


def sides(prepared: Prepared, name: Callable[[str], str] = lambda pair: pair) -> Sides:
    """Pair -> the side that the run has it on."""
    data = prepared.data
    both = (("training", data.training_pairs), ("held_out", data.validation_pairs))
    return {name(data.source.names[pair][1]): side for side, pairs in both for pair in pairs}


def crossed(parent: Sides, child: Sides) -> list[str]:
    return [pair for pair in parent.keys() & child.keys() if parent[pair] != child[pair]]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One data set, mined several times."""
    root = tmp_path_factory.mktemp("shards")
    names = [f"video-{number}/" for number in range(6)]
    lacks = {f"without {name}": (name,) for name in names}
    lacks |= {f"without {name}{frame}": (f"{name}{frame}/",) for name in names[:3] for frame in (0, 3)}
    lacks |= {"few": tuple(names[3:]), "four": tuple(names[4:])}
    minings = {name: shard(6, 4, gone=gone) for name, gone in lacks.items()}
    made = {name: write_world(root / name, each, manifest="m") for name, each in minings.items()}
    content = shard(6, 4)
    made["whole"] = write_world(root / "whole", content, manifest="m")
    made["renamed"] = write_world(root / "renamed", content, manifest="m", root="/elsewhere/other")
    made["old"] = write_world(root / "old", content)
    made["old renamed"] = write_world(root / "old_renamed", content, root="/elsewhere/other")
    return made


@pytest.mark.parametrize("first", ["whole", "few", "four", "old"])
def test_no_other_mining_moves_anything_to_the_other_side(worlds: dict[str, Path], tmp_path: Path, first: str) -> None:
    """A renamed root, a sequence fewer (also where few are cut), a frame fewer, and sequences that come anew."""
    parent = begun(asked(worlds[first], tmp_path / "parent"))
    for number, (name, world) in enumerate(worlds.items()):
        child = begun(asked(world, tmp_path / f"{number}", tmp_path / "parent"))
        assert not crossed(sides(parent), sides(child)), name
        grandchild = prepare(asked(worlds["whole"], tmp_path / "run", tmp_path / f"{number}"))
        assert not crossed(sides(parent), sides(grandchild)), name
        assert not crossed(sides(child), sides(grandchild)), name


def test_a_renamed_root_changes_nothing_without_parents_too(worlds: dict[str, Path], tmp_path: Path) -> None:
    one, two = (prepare(asked(worlds[name], tmp_path / "run")) for name in ("whole", "renamed"))
    assert sides(one) == sides(two)
    assert one.data.split == two.data.split
    assert {key.partition("|")[0] for key in one.data.split.sequences} == {"m"}


def test_shards_from_before_the_manifest_was_told_are_matched_by_their_pictures(
    worlds: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number, (before, after) in enumerate([("old", "old renamed"), ("old", "whole"), ("whole", "old renamed")]):
        parent = begun(asked(worlds[before], tmp_path / f"{number}"))
        assert sides(prepare(asked(worlds[after], tmp_path / "run", tmp_path / f"{number}"))) == sides(parent)
    assert "the same clip under two names, kept on one side: other|video-0 = tiny|video-0, " in caplog.text


def test_parents_that_disagree_are_refused_by_name_with_the_sequence(worlds: dict[str, Path], tmp_path: Path) -> None:
    b3, c1 = tmp_path / "b3", tmp_path / "c1"
    for out in (b3, c1):
        begun(asked(worlds["whole"], out, recipe=out.name if out == c1 else "b1"))
    prepare(asked(worlds["whole"], tmp_path / "d3", b3, c1, recipe="d3"))
    record = json.loads((c1 / SPLIT).read_text())
    key = next(key for key, row in record["sequences"].items() if row["side"] == "held_out")
    record["sequences"][key]["side"] = "training"
    write_json(c1 / SPLIT, record)
    with pytest.raises(UsageError) as refused:
        prepare(asked(worlds["whole"], tmp_path / "d3", b3, c1, recipe="d3"))
    assert f"{b3} and {c1} disagree about sequence {key}: held out by the first, trained on by the second" in str(
        refused.value
    )
    with pytest.raises(UsageError, match="disagree about sequence"):
        stage.run(asked(worlds["whole"], tmp_path / "d3", b3, c1, recipe="d3", dry_run=True))
    with pytest.raises(UsageError, match="disagree about sequence"):
        feeds_page.draw_feeds([worlds["whole"]], "d3", "dimp18", 1, 0, init=[b3, c1])


def test_other_settings_than_the_parents_are_refused(worlds: dict[str, Path], tmp_path: Path) -> None:
    begun(asked(worlds["whole"], tmp_path / "parent"))
    for change in ({"held_out": 0.0}, {"split_seed": 1}):
        with pytest.raises(UsageError, match=r"parent was split with held_out=0\.3, split_seed=0"):
            prepare(asked(worlds["whole"], tmp_path / "run", tmp_path / "parent", **change))


def test_weights_that_are_no_run_say_nothing(worlds: dict[str, Path], tmp_path: Path) -> None:
    parent = begun(asked(worlds["few"], tmp_path / "parent"))
    (tmp_path / "parent/plain.pth").touch()
    (tmp_path / "parent/model.safetensors").touch()
    alone = sides(prepare(asked(worlds["whole"], tmp_path / "run")))
    assert sides(prepare(asked(worlds["whole"], tmp_path / "run", tmp_path / "parent/plain.pth"))) == alone
    model = prepare(asked(worlds["whole"], tmp_path / "run", tmp_path / "parent/model.safetensors"))
    assert not crossed(sides(parent), sides(model))
    assert crossed(sides(parent), alone), "or nothing is shown"


def test_a_run_keeps_to_its_own_record_whatever_becomes_of_its_parents(worlds: dict[str, Path], tmp_path: Path) -> None:
    begun(asked(worlds["few"], tmp_path / "parent"))
    config = asked(worlds["whole"], tmp_path / "run", tmp_path / "parent")
    first = begun(config)
    (tmp_path / "parent" / SPLIT).unlink()
    (tmp_path / "parent" / RUN).unlink()
    again = prepare(config)
    assert sides(again) == sides(first)
    assert again.identity == first.identity
    assert sides(prepare(config.model_copy(update={"on_existing": "overwrite"}))) != sides(first)


def test_windows_without_a_run_are_of_its_side(worlds: dict[str, Path], tmp_path: Path) -> None:
    begun(asked(worlds["few"], tmp_path / "parent"))
    child = begun(asked(worlds["whole"], tmp_path / "child", tmp_path / "parent"))
    for init in ("parent", "child"):
        windows = WindowDataset([worlds["whole"]], "b1", "dimp18", init=[tmp_path / init], held_out=SHARE)
        assert windows.data.split == child.data.split
        assert list(windows.data.training_pairs) == list(child.data.training_pairs)


def old_run(config: TrainConfig) -> Prepared:
    """A run as version 0.1 left it: without a record of its split, which was by the root folder's name."""
    prepared = prepare(config)
    source = prepared.data.source
    _, kinds = old_split_source(source, config.held_out, config.split_seed)
    training, validation = pairs_of(source, kinds, config.held_out)
    run = {
        "recipe": {"name": config.recipe, "patches": "center"},
        "settings": config.model_dump(mode="json"),
        "shards": source.fingerprint,
        "pairs": {"training": len(training), "held_out": len(validation)},
    }
    write_json(config.out / RUN, run)
    return prepared


@pytest.mark.parametrize("first", ["old", "few"])
def test_an_old_run_goes_on_by_the_old_rule_and_so_do_its_children(
    worlds: dict[str, Path], tmp_path: Path, first: str
) -> None:
    config = asked(worlds[first], tmp_path / "old")
    old_run(config)
    on = prepare(config)
    assert "split" not in on.identity
    assert on.data.recorded is False
    for world in ("whole", "renamed", first):
        child = prepare(asked(worlds[world], tmp_path / "run", tmp_path / "old"))
        assert "split" in child.identity
        assert not crossed(sides(on), sides(child))
        if world == first:
            assert sides(on) == sides(child)


def test_an_old_run_whose_shards_are_gone_is_told(
    worlds: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old_run(asked(worlds["few"], tmp_path / "old"))
    run = json.loads((tmp_path / "old" / RUN).read_text())
    run["settings"]["shards"] = [str(tmp_path / "gone")]
    write_json(tmp_path / "old" / RUN, run)
    prepare(asked(worlds["whole"], tmp_path / "run", tmp_path / "old"))
    assert f"{tmp_path / 'old'} was trained before runs kept a record of what they hold out" in caplog.text
    caplog.clear()
    prepare(asked(worlds["few"], tmp_path / "run", tmp_path / "old"))
    assert "kept a record" not in caplog.text, "these are its shards"


def test_a_merge_of_before_leads_to_its_parents(worlds: dict[str, Path], tmp_path: Path) -> None:
    parent = begun(asked(worlds["few"], tmp_path / "b1"))
    for settings_of in ({"init": [str(tmp_path / "b1")]}, {"reference": str(tmp_path / "b1"), "test": "gone"}):
        write_json(tmp_path / "b3" / RUN, {"recipe": "b3", "settings": settings_of})
        child = prepare(asked(worlds["whole"], tmp_path / "run", tmp_path / "b3"))
        assert not crossed(sides(parent), sides(child))
        assert read_split(tmp_path / "b1" / SPLIT).sequences.items() <= child.data.split.sequences.items()
