"""The content of ``metrics.json``: scores 0 to 1, null where there is none."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.ope import THRESHOLDS
from trainer.evaluate.score_trackers import Evaluation
from trainer.evaluate.scores import ScoredTracker
from trainer.resampling import CONFIDENCE, RESAMPLES

DEFINITION = {
    "success": "mean over 21 thresholds 0:.05:1 of the share of frames with overlap > threshold",
    "precision": "share of frames with centre error <= 20 px",
    "normalized_precision": "mean over 51 thresholds 0:.01:.5 of the share of frames with error / size <= threshold",
}


def collect(evaluation: Evaluation, settings: dict[str, object], files: list[str]) -> dict[str, Any]:
    """Everything measured, as plain values.

    Args:
        evaluation: what was measured.
        settings: how the command was called, and the version that ran.
        files: names of all files of the report.
    """
    benchmark = evaluation.benchmark
    return {
        "protocol": benchmark.manifest.protocol,
        "definition": {metric: DEFINITION[metric] for metric in benchmark.metrics},
        "dataset": benchmark.manifest.name,
        "sequences": len(benchmark.sequences),
        "attributes": {name: int(where.sum()) for name, where in benchmark.attributes.items()},
        "trackers": {tracker.name: _tracker(evaluation, tracker) for tracker in evaluation.trackers},
        "differences": [asdict(pair) | {"decided": pair.decided} for pair in evaluation.differences],
        "bootstrap": {"resamples": RESAMPLES, "confidence": CONFIDENCE, "over": "sequences, paired"},
        "warnings": list(evaluation.warnings),
        "settings": settings,
        "files": files,
    }


def _tracker(evaluation: Evaluation, tracker: ScoredTracker) -> dict[str, Any]:
    benchmark = evaluation.benchmark
    by_sequence = {metric: tracker.scores(metric) for metric in benchmark.metrics}
    # Said of yardsticks alone: reports of before there were any stay equal to those of now.
    return ({"yardstick": True} if tracker.yardstick else {}) | {
        "overall": _scores(tracker),
        "attributes": {name: _scores(tracker, where) for name, where in benchmark.attributes.items()},
        "sequences": {
            sequence: {
                metric: _plain(by_sequence[metric][i]) if metric in by_sequence else None for metric in THRESHOLDS
            }
            for i, sequence in enumerate(benchmark.sequences)
        },
        "curves": {metric: [_plain(value) for value in tracker.mean_curve(metric)] for metric in benchmark.metrics},
    }


def _scores(tracker: ScoredTracker, where: NDArray[np.bool_] | None = None) -> dict[str, float | None]:
    return {metric: tracker.score(metric, where) for metric in THRESHOLDS}


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
