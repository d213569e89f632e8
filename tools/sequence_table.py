"""Tables of every sequence for a page: a teacher's scores and its students', and how much larger than true boxes are.

``python -m tools.sequence_table --annotations DIR --results teacher=DIR --results c1=DIR --group "People=m3svd_*"``
scores what ``cmd-eval`` scores, as that does it. The first tracker is the one that all others are compared with.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.bootstrap import differences
from trainer.evaluate.score_trackers import Evaluation, evaluate
from trainer.evaluate.scores import ScoredTracker
from trainer.resampling import FEWEST
from trainer.sequences.rows import valid

Scores = NDArray[np.float64]
METRICS = ("success", "precision", "normalized_precision")


def area_ratios(evaluation: Evaluation, tracker: ScoredTracker) -> Scores:
    """For each sequence the mean, over frames with a true box, of a box's area by the true one's."""
    found = []
    for name in evaluation.benchmark.sequences:
        boxes = tracker.boxes[name]
        truth = evaluation.benchmark.truth[name][-len(boxes) :]
        told = valid(truth)
        found.append((boxes[told, 2:].prod(axis=1) / truth[told, 2:].prod(axis=1)).mean())
    return np.array(found)


def table(evaluation: Evaluation, chosen: Sequence[int], seed: int) -> Iterator[str]:
    """Lines of the table of some sequences, by number: one a sequence, their mean, and differences from the first.

    A difference has its 95 % interval, drawn by sequence, where there are enough of them.
    """
    first, *others = evaluation.trackers
    scores = {tracker.name: [tracker.scores(metric) for metric in METRICS] for tracker in evaluation.trackers}
    areas = {tracker.name: area_ratios(evaluation, tracker) for tracker in evaluation.trackers}
    yield f"| sequence | {' | '.join(f'{name}: S / P / NP / area' for name in scores)} |"
    yield "|---" * (1 + len(scores)) + "|"
    rows = [(evaluation.benchmark.sequences[place], [place]) for place in chosen]
    for label, places in [*rows, ("**mean**", list(chosen))]:
        cells = [_cell([each[places] for each in scores[name]], areas[name][places]) for name in scores]
        yield f"| {label} | {' | '.join(cells)} |"
    compared = [""]
    for other in others:
        pairs = [
            differences(metric, {name: scores[name][number][chosen] for name in (other.name, first.name)}, seed)[0]
            for number, metric in enumerate(METRICS)
        ]
        compared.append(" / ".join(_signed(pair.value, pair.low, pair.high, len(chosen)) for pair in pairs))
    yield f"| **difference** | {' | '.join(compared)} |"


def _cell(scores: Sequence[Scores], areas: Scores) -> str:
    return " / ".join([*(f"{100 * each.mean():.1f}" for each in scores), f"{areas.mean():.2f}"])


def _signed(value: float, low: float | None, high: float | None, sequences: int) -> str:
    if sequences < FEWEST or low is None or high is None:
        return _minus(f"{100 * value:+.1f}")
    text = _minus(f"{100 * value:+.1f} [{100 * low:.1f}, {100 * high:.1f}]")
    return f"**{text}**" if low > 0 or high < 0 else text


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _named(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{given}: expected NAME=...")
    return name, value


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="tir_sequences", help="manifest of the sequences")
    parser.add_argument("--annotations", type=Path, required=True, help="folder of ground truth")
    parser.add_argument("--results", type=_named, action="append", required=True, metavar="NAME=DIR")
    parser.add_argument("--group", type=_named, action="append", required=True, metavar="TITLE=PATTERN,...")
    given = parser.parse_args()
    folder: Path = given.annotations
    patterns = [(title, words.split(",")) for title, words in given.group]
    names = sorted(path.name for path in folder.iterdir())
    groups = {title: [n for n in names if any(fnmatchcase(n, p) for p in words)] for title, words in patterns}
    only = [name for chosen in groups.values() for name in chosen]
    trackers = [(name, Path(results)) for name, results in given.results]
    evaluation = evaluate(given.dataset, folder, trackers, only=only)
    for title, chosen in groups.items():
        places = [evaluation.benchmark.sequences.index(name) for name in chosen]
        print(f"## {title}\n", *table(evaluation, places, seed=0), "", sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
