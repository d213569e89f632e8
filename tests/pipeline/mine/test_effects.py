"""A setting that would do nothing is refused, by the command where it was typed, and by ``run`` where it differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import align, mine
from pipeline.align import AlignConfig
from pipeline.errors import UsageError
from pipeline.mine import MineConfig
from pipeline.mine.effects import RULES, without_effect
from pipeline.mine.settings import MineSettings, MineWhereabouts

from ...conftest import Data, Run, told

DETECTION = ("--method", "detection")
BOXES = (*DETECTION, "--detector", "boxes", "--detections", "boxes.jsonl")
YOLO = (*DETECTION, "--weights", "w.pt")
IDLE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "weights": (("--method", "center"), ("--weights", "missing.pt")),
    "confidence": (("--method", "center"), ("--confidence", "0.9")),
    "a default that was typed": (("--method", "random"), ("--confidence", "0.25")),
    "detector": (("--method", "random"), ("--detector", "boxes")),
    "detections": (YOLO, ("--detections", "boxes.jsonl")),
    "weights for boxes": (BOXES, ("--weights", "w.pt")),
    "class ids": (YOLO, ("--class-ids", "coco")),
    "device": (BOXES, ("--device", "cuda")),
    "batch size on the CPU": (YOLO, ("--batch-size", "4")),
    "batch size of an exported model": ((*DETECTION, "--weights", "w.onnx", "--device", "cuda"), ("--batch-size", "4")),
    "backend": (YOLO, ("--backend", "detectron2")),
    "letterbox": (BOXES, ("--letterbox", "rect")),
    "letterbox of an export": ((*DETECTION, "--weights", "w.torchscript"), ("--letterbox", "square")),
    "config": (YOLO, ("--detector-config", "x.yaml")),
    "classes": (("--method", "center"), ("--classes", "0")),
    "fallback": (("--method", "random"), ("--fallback", "skip")),
    "fallback beside tubes": ((*BOXES, "--tubes"), ("--fallback", "skip")),
    "fraction beside tubes": ((*BOXES, "--tubes"), ("--fraction", "1/5")),
    "gap without tubes": (BOXES, ("--max-gap", "5")),
    "length without tubes": (BOXES, ("--min-length", "5")),
    "seed": (("--method", "center"), ("--seed", "1")),
    "seed without draws": ((*BOXES, "--fallback", "skip"), ("--seed", "1")),
    "fraction": (("--method", "center"), ("--fraction", "1/5")),
    "fraction without fallback": ((*BOXES, "--fallback", "skip"), ("--fraction", "1/5")),
    "centre": (("--method", "random"), ("--center-fraction", "1/5")),
    "patches": (("--method", "center"), ("--patches-per-pair", "3")),
    "overlap": (BOXES, ("--max-overlap", "0.5")),
    "ratio": (("--method", "center"), ("--max-fallback-ratio", "0.5")),
    "ratio without fallback": ((*BOXES, "--fallback", "skip"), ("--max-fallback-ratio", "0.5")),
    "resources": (("--method", "center"), ("--worker-resources", "GPU=1")),
    "quick": (("--method", "center", "--on-existing", "overwrite"), ("--quick",)),
    "workers": (("--method", "center", "--scheduler", "tcp://127.0.0.1:1"), ("--workers", "2")),
}


@pytest.mark.parametrize("case", IDLE)
def test_an_option_without_effect_is_refused_with_what_would_use_it(data: Data, prep: Run, case: str) -> None:
    words, idle = IDLE[case]
    out = data.root / "shards"
    told(
        prep("mine", "--aligned", data.aligned, "--out", out, *words, *idle), 2, f"{idle[0]} has no effect here, it is"
    )
    assert not out.exists()


@pytest.mark.parametrize(
    ("detector", "given", "needed"), [("boxes", "--weights", "--detections"), ("yolo", "--detections", "--weights")]
)
def test_a_file_for_another_detector_is_refused_with_the_option_that_this_one_needs(
    data: Data, prep: Run, detector: str, given: str, needed: str
) -> None:
    words = (*DETECTION, "--detector", detector, given, "x")
    result = prep("mine", "--aligned", data.aligned, "--out", data.root / "s", *words)
    told(result, 2, f"{given} has no effect here", f"(--detector {detector} needs {needed})")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"method": "center", "confidence": 0.9}, "--confidence has no effect here, it is for --method detection"),
        ({"method": "random", "weights": Path("w.pt")}, "--weights has no effect"),
        ({"method": "detection", "detector": "boxes", "device": "cuda"}, "--device has no effect"),
        ({"method": "center", "worker_resources": {"GPU": 1.0}}, "--worker-resources has no effect"),
    ],
)
def test_run_refuses_alike(data: Data, tmp_path: Path, settings: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        mine.run(MineConfig.model_validate({"aligned": data.aligned, "out": tmp_path / "s"} | settings))
    assert not (tmp_path / "s").exists()


def test_a_default_is_no_setting_that_was_given(data: Data, tmp_path: Path) -> None:
    mine.run(MineConfig(aligned=data.aligned, out=tmp_path / "s", method="center", confidence=0.25, seed=0))


@pytest.mark.parametrize(
    "words",
    [
        ("center", "--center-fraction", "1/5"),
        ("random", "--fraction", "1/5", "--fraction-of", "area", "--max-overlap", "0", "--patches-per-pair", "2"),
        ("random", "--seed", "3", "--warped-format", "png", "--pairs-per-shard", "3", "--patch-size", "0"),
    ],
)
def test_what_has_an_effect_is_taken(data: Data, prep: Run, words: tuple[str, ...]) -> None:
    result = prep("mine", "--aligned", data.aligned, "--out", data.root / "s", "--method", *words)
    assert result.exit_code == 0, result.output


def test_every_setting_is_used_by_some_run() -> None:
    """And every rule is about a setting that there is."""
    base = {"aligned": "a", "out": "o"}
    runs: list[dict[str, Any]] = [
        {"method": "center"},
        {"method": "random"},
        {"method": "center", "tubes": True},
        {"method": "detection", "detector": "boxes"},
        {"method": "detection", "detector": "faster-rcnn", "tubes": True},
        {"method": "detection", "weights": "w.pt", "device": "cuda", "scheduler": "tcp://a:1"},
    ]
    idle = [set(without_effect(MineConfig.model_validate(base | run))) for run in runs]
    assert set.intersection(*idle) == set()
    known = {*MineSettings.model_fields, *MineWhereabouts.model_fields, "max_fallback_ratio"}
    assert {name for rule in RULES for name in rule.names} <= known


def test_align_refuses_alike(tree: Path, prep: Run) -> None:
    words = ("align", "--root", tree, "--out", tree.parent / "out")
    told(prep(*words, "--scheduler", "tcp://127.0.0.1:1", "--workers", 2), 2, "--workers has no effect here")
    told(prep(*words, "--preview", 2, "--on-existing", "fail"), 2, "--on-existing has no effect here", "--preview")
    with pytest.raises(UsageError, match="--on-existing has no effect here"):
        align.run(AlignConfig(root=tree, out=tree.parent / "out", preview=2, on_existing="fail"))
    assert not (tree.parent / "out").exists()
