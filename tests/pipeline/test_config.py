"""Settings: an unknown key is an error, and the recipe holds what decides the content and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.align import AlignConfig
from pipeline.mine import MineConfig
from pipeline.mine.methods import build_method
from pipeline.mine.methods.detection import detector_spec

PATHS = {"aligned": Path("a"), "out": Path("b")}


def recipe(content: dict[str, object]) -> dict[str, object]:
    return build_method(MineConfig.model_validate(content)).recipe()


@pytest.mark.parametrize(
    "wrong",
    [
        {"fractoin": 0.5},
        {"fraction": 0},
        {"fraction": float("nan")},
        {"patches_per_pair": 0},
        {"patch_size": -1},
        {"min_size": 0},
        {"method": "best"},
        {"workers": 0},
    ],
)
def test_a_wrong_setting_is_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        MineConfig.model_validate(PATHS | {"method": "random"} | wrong)


def test_settings_cannot_be_changed() -> None:
    config = AlignConfig(root=Path("a"), out=Path("b"))
    with pytest.raises(ValidationError, match="frozen"):
        config.min_score = 0.1  # type: ignore[misc]


@pytest.mark.parametrize("method", ["center", "random", "detection"])
def test_the_recipe_does_not_depend_on_where_and_how_the_work_runs(method: str) -> None:
    elsewhere = {"out": "c", "aligned": "d", "root": "e", "workers": 7, "scheduler": "tcp://x:1", "batch_size": 2}
    elsewhere |= {"on_existing": "fail", "device": "cuda", "worker_resources": {"GPU": 1}}
    elsewhere |= {"weights": "w.pt", "detections": "d.jsonl"}
    assert recipe(PATHS | {"method": method} | elsewhere) == recipe(PATHS | {"method": method})


@pytest.mark.parametrize(
    ("method", "changed"),
    [
        ("center", {"center_fraction": 0.5}),
        ("random", {"fraction": 0.5}),
        ("random", {"fraction_of": "area"}),
        ("random", {"max_overlap": 0.5}),
        ("random", {"patches_per_pair": 9}),
        ("random", {"seed": 1}),
        ("detection", {"confidence": 0.5}),
        ("detection", {"classes": (1,)}),
        ("detection", {"fallback": "skip"}),
        ("detection", {"min_size": 20}),
        ("detection", {"detector": "boxes"}),
        ("center", {"patch_size": 0}),
        ("center", {"warped_format": "png"}),
        ("center", {"pairs_per_shard": 3}),
    ],
)
def test_the_recipe_holds_every_setting_that_decides_the_content(method: str, changed: dict[str, object]) -> None:
    base = recipe(PATHS | {"method": method})
    (key,) = changed
    assert recipe(PATHS | {"method": method} | changed)[key] != base[key]


@pytest.mark.parametrize(("workers", "tasks", "kept"), [(8, 3, 3), (2, 3, 2), (4, 0, 1)])
def test_there_are_no_more_processes_than_tasks(workers: int, tasks: int, kept: int) -> None:
    config = MineConfig(aligned=Path("a"), out=Path("b"), method="random", workers=workers)
    assert config.for_tasks(tasks).workers == kept


def test_a_detector_gets_the_cores_of_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    config = MineConfig(aligned=Path("a"), out=Path("b"), method="detection", workers=3)
    cluster = config.model_copy(update={"scheduler": "tcp://a:1"})
    alone, many = (config.model_copy(update={"workers": count}) for count in (1, 9))
    assert [detector_spec(each, each).at_once for each in (alone, config, many, cluster)] == [8, 2, 1, 1]
