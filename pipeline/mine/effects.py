"""Which settings of a mining run have no effect, given its others: who types one expects something of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.detect.yolo.exports import takes_any_size
from pipeline.mine.methods import build_method, method_class
from pipeline.mine.settings import SHARED, MineConfig, MineSettings
from pipeline.registries import DETECTORS, METHODS, READ_DETECTIONS


@dataclass(frozen=True)
class Rule:
    """Settings, who uses them, and whether a run does."""

    names: tuple[str, ...]
    by: str
    used: Callable[[MineConfig], bool]


def without_effect(config: MineConfig) -> dict[str, str]:
    """The settings that the chosen method, detector and device do not use -> what would use them."""
    found = {name: rule.by for rule in RULES if not rule.used(config) for name in rule.names}
    if config.method not in METHODS:
        known = set(MineSettings.model_fields) - SHARED - build_method(config).used - {"options"}
        found |= dict.fromkeys(sorted(known), f"other methods, as {config.method} does not name it in uses")
    if config.method == "detection" and config.detector in DETECTORS:
        own, other = ("detections", "weights") if config.detector in READ_DETECTIONS else ("weights", "detections")
        if getattr(config, own) is None:
            # Who takes one for the other is told of both at once.
            found[other] += f" (--detector {config.detector} needs --{own})"
    return found


def _detects(config: MineConfig, *detectors: str) -> bool:
    """Whether a listed detector that uses a setting is at work; one's own method or detector may use all."""
    if config.method not in METHODS:
        return True
    return config.method == "detection" and (config.detector in detectors or config.detector not in DETECTORS)


def _falls_back(config: MineConfig) -> bool:
    return _detects(config, *DETECTORS) and config.fallback == "random" and not config.tubes


def _takes_batches(config: MineConfig) -> bool:
    own = config.method not in METHODS or config.detector not in DETECTORS
    layers = config.weights is None or config.weights.suffix == ".pt"
    return _detects(config, "yolo") and (own or (config.device != "cpu" and layers))


def _takes_any_size(config: MineConfig) -> bool:
    own = config.method not in METHODS or config.detector not in DETECTORS
    return _detects(config, "yolo") and (own or config.weights is None or takes_any_size(config.weights))


RULES = (
    Rule(("center_fraction",), "--method center", lambda config: config.method not in ("random", "detection")),
    Rule(("max_overlap",), "--method random", lambda config: config.method not in ("center", "detection")),
    Rule(("patches_per_pair",), "--method random and detection", lambda config: config.method != "center"),
    Rule(
        ("fraction", "fraction_of", "seed"),
        "--method random, and detection with --fallback random",
        lambda config: config.method == "random" or _falls_back(config),
    ),
    Rule(
        ("detector", "confidence", "classes", "min_size", "max_size"),
        "--method detection",
        lambda config: _detects(config, *DETECTORS),
    ),
    Rule(
        ("fallback",),
        "--method detection without --tubes",
        lambda config: _detects(config, *DETECTORS) and not config.tubes,
    ),
    Rule(
        ("weights", "device"),
        "--method detection with --detector yolo or faster-rcnn",
        lambda config: _detects(config, "yolo", "faster-rcnn"),
    ),
    Rule(
        ("detector_config", "backend"),
        "--method detection with --detector faster-rcnn",
        lambda config: _detects(config, "faster-rcnn"),
    ),
    Rule(
        ("detections", "class_ids", "last_column"),
        "--method detection with --detector boxes",
        lambda config: _detects(config, "boxes"),
    ),
    Rule(
        ("letterbox",),
        "--method detection with --detector yolo and a .pt file or an .onnx export of dynamic size",
        _takes_any_size,
    ),
    Rule(("batch_size",), "--detector yolo with a .pt file and --device cuda", _takes_batches),
    Rule(("max_fallback_ratio",), "--method detection with --fallback random", _falls_back),
    Rule(("tubes",), "methods that make tubes", lambda config: bool(method_class(config.method).tube_uses)),
    Rule(("max_gap", "min_length"), "--tubes", lambda config: config.tubes),
    Rule(
        ("max_fb_error",),
        "--tubes with --method random and center",
        lambda config: config.tubes and config.method != "detection",
    ),
    Rule(("quick",), "--on-existing resume", lambda config: config.on_existing == "resume"),
    Rule(("worker_resources",), "--scheduler ADDRESS", lambda config: config.scheduler is not None),
    Rule(("workers",), "local processes, without --scheduler", lambda config: config.scheduler is None),
)
"""``max_fallback_ratio`` is the command's alone."""
