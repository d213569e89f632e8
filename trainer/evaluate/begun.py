"""Sequences that were tracked to a frame before their last, on purpose: what of the truth is measured then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.errors import UsageError
from trainer.sequences.benchmark import Benchmark
from trainer.sequences.rows import valid
from trainer.sequences.track_note import most_frames


def begun(benchmark: Benchmark, results: Sequence[tuple[str, Path]], curves: Path | None) -> Benchmark:
    """The benchmark with as much of its truth as ``cmd-track --max-frames`` left results for, and a warning of it.

    Raises:
        UsageError: of some trackers there are fewer frames than of others, or than of published curves.
    """
    starts = {name: int(np.argmax(valid(truth))) for name, truth in benchmark.truth.items()}
    longest = max((len(truth) - starts[name] for name, truth in benchmark.truth.items()), default=0)
    tracked = {name: min(most_frames(folder) or longest, longest) for name, folder in results}
    short = {name: count for name, count in tracked.items() if count < longest}
    if not short:
        return benchmark
    name, count = next(iter(short.items()))
    others = [other for other in tracked if tracked[other] != count] + ["published curves"] * bool(curves)
    if others:
        raise UsageError(
            f"{name} was tracked with --max-frames {count}, {others[0]} not: frames that only one of them has cannot "
            "be compared: track all alike, or evaluate each by itself"
        )
    truth = {each: rows[: starts[each] + count] for each, rows in benchmark.truth.items()}
    cut = sum(len(truth[each]) < len(rows) for each, rows in benchmark.truth.items())
    line = (
        f"only the first {count} frames were tracked (--max-frames): what is longer, {cut} of {len(truth)} sequences, "
        "is measured up to there, and these are not the scores of the benchmark"
    )
    return replace(benchmark, truth=truth, warnings=(*benchmark.warnings, line))
