"""Folders that version 0.1 made: they are kept, verified, and mined again to the same boxes under the same settings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.align import settings as align_settings
from pipeline.boxes import corners
from pipeline.config import recorded
from pipeline.mine import settings as mine_settings
from pipeline.mine.rederive import rederive
from pipeline.shards import schema
from pipeline.shards.schema import Dataset

from ..conftest import REPOSITORY, Run, done, told

MINE: dict[str, tuple[object, ...]] = {
    "center": ("--center-fraction", "1/3"),
    "random": ("--seed", 3, "--patches-per-pair", 2),
    "detection": ("--detector", "boxes", "--detections", "boxes.jsonl"),
}


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what version 0.1 made from two pairs, which lie in ``data``; the working folder."""
    shutil.copytree(REPOSITORY / "tests/pipeline/old_folders/0.1", tmp_path / "old")
    monkeypatch.chdir(tmp_path / "old")
    return tmp_path / "old"


def mine(prep: Run, method: str, out: object, *words: object):  # type: ignore[no-untyped-def]
    given = ("--aligned", "aligned", "--root", "data", "--patch-size", 0, "--method", method, *MINE[method])
    return prep("mine", *given, "--out", out, *words)


def names_in(shard: h5py.File) -> list[str]:
    """Names of its datasets."""
    names: list[str] = []
    shard.visit(names.append)
    return [name for name in names if isinstance(shard[name], h5py.Dataset)]


def test_an_aligned_folder_is_kept(old: Path, prep: Run) -> None:
    kept = (old / "aligned/align.json").read_bytes()
    words = ("align", "--root", "data", "--out", "aligned", "--manifest", "kaist", "--model", "identity")
    done(prep(*words, "--min-score", 0))
    assert (old / "aligned/align.json").read_bytes() == kept
    told(prep(*words), 2, "settings.min_score: 0.0 -> 0.3")


@pytest.mark.parametrize("method", MINE)
def test_shards_are_kept_sound_and_what_the_settings_give_today(old: Path, prep: Run, method: str) -> None:
    kept = {path.name: path.read_bytes() for path in (old / method).iterdir() if path.name != "index.json"}
    done(mine(prep, method, method))
    assert {name: (old / method / name).read_bytes() for name in kept} == kept
    done(prep("verify", method, "--deep"))
    done(mine(prep, method, "again"))
    assert json.loads((old / "again/plan.json").read_text()) == json.loads(kept["plan.json"]) | {
        "schema_version": "1.1"
    }
    with h5py.File(old / method / "shard-00000.h5") as first, h5py.File(old / "again/shard-00000.h5") as second:
        for name in set(schema.ATTRS) - {"tool_version", "schema_version"}:
            assert first.attrs[name] == second.attrs[name]
        later = {"patches/track", "pairs/sequence", "pairs/frame"}
        assert set(schema.DATASETS) - later == set(names_in(first))
        for name in names_in(first):
            assert np.array_equal(first[name][:], second[name][:].astype(first[name].dtype))
        assert (first["patches/label"].dtype, second["patches/label"].dtype) == (np.float16, np.float32)


def test_a_setting_that_came_later_leaves_shards_of_before_what_they_were(
    old: Path, prep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: ``warped_format`` is taken for one that came later, and before it all was JPEG."""
    monkeypatch.setitem(mine_settings.BEFORE, "warped_format", "jpg")
    for name in ("plan.json", "index.json"):
        content = json.loads((old / "random" / name).read_text())
        content["recipe" if name == "plan.json" else "settings"].pop("warped_format")
        (old / "random" / name).write_text(json.dumps(content))
    planted = (old / "random/plan.json").read_bytes()
    done(mine(prep, "random", "random"))
    assert (old / "random/plan.json").read_bytes() == planted
    told(mine(prep, "random", "random", "--warped-format", "png"), 2, "recipe.warped_format: jpg -> png")
    done(mine(prep, "random", "same"))
    done(mine(prep, "random", "other", "--warped-format", "png"))
    assert [b"warped_format" in (old / out / "plan.json").read_bytes() for out in ("same", "other")] == [False, True]
    done(prep("verify", "same", "--deep"))


def test_center_shards_that_do_not_record_their_fraction_are_of_a_third(old: Path, prep: Run) -> None:
    for name in ("plan.json", "index.json"):
        content = json.loads((old / "center" / name).read_text())
        content["recipe" if name == "plan.json" else "settings"].pop("center_fraction")
        (old / "center" / name).write_text(json.dumps(content))
    done(mine(prep, "center", "center"))
    told(
        mine(prep, "center", "center", "--center-fraction", "1/8"),
        *(2, "made with other settings", "recipe.center_fraction: 0.3333333333333333 -> 0.125"),
    )
    derived = rederive({"method": "center"}, "a", (90, 60), corners((0, 0, 90, 60)))
    assert derived is not None
    assert derived.tolist() == [[35, 20, 20, 20]]


def test_an_aligned_folder_of_before_a_setting_is_kept_and_others_are_refused(
    old: Path, prep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: ``estimate`` is taken for one that came later, and before it the manifest decided."""
    monkeypatch.setitem(align_settings.BEFORE, "estimate", None)
    content = json.loads((old / "aligned/plan.json").read_text())
    del content["settings"]["estimate"]
    (old / "aligned/plan.json").write_text(json.dumps(content))
    words = ("align", "--root", "data", "--manifest", "kaist", "--model", "identity", "--min-score", 0, "--out")
    done(prep(*words, "aligned"))
    told(prep(*words, "aligned", "--estimate", "pair"), 2, "settings.estimate: None -> pair")
    done(prep(*words, "again"))
    assert "estimate" not in json.loads((old / "again/plan.json").read_text())["settings"]


def test_only_what_differs_from_before_is_written_down() -> None:
    assert recorded({"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 0}) == {"a": 1, "c": 3}


def newer_schema(monkeypatch: pytest.MonkeyPatch, older: dict[str, Dataset | None]) -> None:
    """Plant a schema 1.2 in which patches have a dataset more."""
    monkeypatch.setattr("pipeline.mine.stage.SCHEMA_VERSION", "1.2")
    monkeypatch.setitem(schema.DATASETS, "patches/tube", Dataset(("m",), "int32", "its tube"))
    monkeypatch.setitem(schema.OLDER, "1.0", older)


def test_a_finished_folder_of_an_older_minor_schema_is_kept_and_verified_by_its_own_types(
    old: Path, prep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer_schema(monkeypatch, schema.OLDER["1.0"] | {"patches/tube": None})
    kept = {path.name: path.read_bytes() for path in (old / "center").iterdir()}
    assert "pairs stored  2" in done(mine(prep, "center", "center"))
    assert {path.name: path.read_bytes() for path in (old / "center").iterdir() if path.name != ".lock"} == kept
    assert "sound" in done(prep("verify", "center", "--deep"))
    told(mine(prep, "center", "center", "--pairs-per-shard", 1), 2, "recipe.pairs_per_shard: 500 -> 1")
    monkeypatch.delitem(schema.OLDER, "1.0")
    told(prep("verify", "center"), 3, "1 faults")


@pytest.mark.parametrize("gone", ["index.json", "shard-00000.stats.json", "shard-00000.h5"])
def test_an_unfinished_folder_of_an_older_minor_schema_is_refused(old: Path, prep: Run, gone: str) -> None:
    (old / "center" / gone).unlink()
    told(mine(prep, "center", "center"), 2, "center was begun under schema 1.0, this is 1.1", "--on-existing overwrite")
