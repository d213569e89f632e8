"""The end of alignment: part files become ``aligned.jsonl`` and ``rejects.jsonl``, and are counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.align.calibration import Rigs
from pipeline.align.rows import Part
from pipeline.files import sightings
from pipeline.files.sightings import SEEN
from pipeline.images.orientation import FLAG, IGNORED
from pipeline.records import AlignedPair, Reject, read_rows, write_rows

log = logging.getLogger(__name__)


@dataclass
class Seen:
    """What the pairs of one camera say of its matrix."""

    pairs: int = 0
    drifts: list[float] = field(default_factory=list)
    moved: int = 0
    moved_from: str | None = None

    def add(self, part: Part) -> None:
        """Count one pair."""
        row = part.aligned or part.reject
        self.pairs += 1
        if part.drift is not None:
            self.drifts.append(part.drift)
        if part.moved and row:
            self.moved += 1
            self.moved_from = self.moved_from or row.pair_id


@dataclass
class Counts:
    """What is counted while the rows of aligned pairs are written.

    Attributes:
        scores: of the pairs.
        flags: how many pairs have each.
        models: likewise.
        cameras: what the pairs of each say of its matrix, rejects included.
        deep: pairs whose thermal picture has more than 8 bits.
        files: sightings of the pairs' files.
    """

    scores: list[float] = field(default_factory=list)
    flags: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    cameras: dict[str, Seen] = field(default_factory=dict)
    deep: int = 0
    files: list[int] = field(default_factory=list)

    def aligned(self, parts: Iterable[Part]) -> Iterator[AlignedPair]:
        """The aligned pairs among the parts, counted as they pass."""
        for part in parts:
            if part.camera:
                self.cameras.setdefault(part.camera, Seen()).add(part)
            if part.aligned:
                self.scores.append(part.aligned.score)
                self.flags.update(part.aligned.flags)
                self.models[part.aligned.model] += 1
                self.deep += part.aligned.tir_range is not None
                self.files.extend(part.seen)
                yield part.aligned


def merge(out: Path, parts: list[Path], rigs: Rigs, *, ranged: bool) -> dict[str, Any]:
    """Write ``aligned.jsonl`` and ``rejects.jsonl`` from the parts, in order, and what was seen of the files.

    ``ranged`` says that a range of raw thermal values was asked for.

    Returns:
        Counts of pairs, reasons, flags and models, quantiles of the score, and ``cameras`` (:func:`_cameras`).
    """
    counts, reasons = Counts(), Counter[str]()

    def rejected() -> Iterator[Reject]:
        for part in _rows(parts):
            if part.reject:
                reasons[part.reject.reason] += 1
                yield part.reject

    write_rows(out / "aligned.jsonl", counts.aligned(_rows(parts)))
    write_rows(out / "rejects.jsonl", rejected())
    sightings.save(out / SEEN, counts.files)
    scores = counts.scores
    _tell(counts.flags[FLAG], idle_range=ranged and bool(scores) and not counts.deep)
    total = len(scores) + sum(reasons.values())
    return {
        "pairs_in": total,
        "aligned": len(scores),
        "rejected": sum(reasons.values()),
        "rejected_ratio": sum(reasons.values()) / max(total, 1),
        "reasons": dict(sorted(reasons.items())),
        "flags": dict(sorted(counts.flags.items())),
        "models": dict(sorted(counts.models.items())),
        "score_quantiles": [
            round(float(q), 4) for q in np.quantile(scores or [0.0], [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
        ],
        "cameras": _cameras(rigs, counts.cameras),
    }


def _tell(turned: int, *, idle_range: bool) -> None:
    """Warn of what befell many pairs alike: a count of those with an orientation tag, and a range that did nothing."""
    if turned:
        log.warning("%d pairs have %s: they are flagged %s", turned, IGNORED, FLAG)
    if idle_range:
        log.warning("the thermal pictures have 8 bits, on which --tir-range has no effect")


def _cameras(rigs: Rigs, seen: dict[str, Seen]) -> dict[str, dict[str, object]]:
    """What is known of each camera's matrix, and whether its pairs bear it out.

    ``split`` (distance of two half fits) and ``drift`` (median over the pairs) are in RGB pixels, None where there is
    none; ``moved`` counts the pairs of runs whose drift says that the camera was moved, ``moved_from`` is the first.
    """
    table: dict[str, dict[str, object]] = {}
    for camera, rig in sorted(rigs.items()):
        own = seen.get(camera, Seen())
        if own.moved:
            log.warning(
                "camera %s: %d of %d pairs, from %s on, fit another matrix: the camera was moved; they are flagged",
                camera,
                own.moved,
                own.pairs,
                own.moved_from,
            )
        table[camera] = {
            "model": rig.model,
            "trusted": rig.trusted,
            "split": rig.scores.get("split"),
            "pairs": own.pairs,
            "drift": round(float(np.median(own.drifts)), 3) if own.drifts else None,
            "moved": own.moved,
            "moved_from": own.moved_from,
        }
    return table


def _rows(parts: list[Path]) -> Iterator[Part]:
    for path in parts:
        yield from read_rows(path, Part)
