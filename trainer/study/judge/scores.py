"""The rows of one test and figure as arrays: models by sequences by seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.study.results import ResultRow

DECIDING = ("iou_from_peak", "iou_from_displaced")
"""The figure that decides: the first of these that was measured. ATOM has no offline classifier, so no peak."""
TEACHER_ON_RGB = "the teacher on RGB"
MIDDLE, KEPT = "the middle", "the reference's box kept"
TRIVIAL = (MIDDLE, KEPT)
"""Answers that take no network, as the two-frame test names them."""


class Arm(NamedTuple):
    """A model of a study with all its seeds: a row of Table 1, and what its pairs were replaced by (empty: nothing)."""

    row: str
    control: str = ""

    @property
    def name(self) -> str:
        """As verdicts call it: a control by its own name, since each is of one row only."""
        return self.control or ("b3 + c1" if self.row == "bc" else self.row)


A1 = Arm("a1")


@dataclass(frozen=True)
class Scores:
    """One figure of one test.

    Attributes:
        sequences: S names, sorted.
        clips: (S,) number of the clip that each is of.
        values: model -> seed, None where there is one model for all seeds -> (S,), NaN where there is none.
    """

    sequences: tuple[str, ...]
    clips: NDArray[np.int64]
    values: Mapping[Arm, Mapping[int | None, NDArray[np.float64]]]

    def of(self, sequences: Iterable[str]) -> Scores:
        """The same on some of the sequences."""
        wanted = set(sequences)
        kept = np.array([name in wanted for name in self.sequences], dtype=bool)
        names = tuple(name for name in self.sequences if name in wanted)
        values = {m: {s: each[kept] for s, each in seeds.items()} for m, seeds in self.values.items()}
        return Scores(names, self.clips[kept], values)


@dataclass(frozen=True)
class Aligned:
    """Some models on the sequences and seeds that they share.

    Attributes:
        values: (models, S, K); a model that is one for all seeds stands under each of them.
        clips: (S,) numbers of clips, each of 0 to C-1 used.
        seeds: K of the models; 0 where none of them has any, and K is 1.
    """

    values: NDArray[np.float64]
    clips: NDArray[np.int64]
    seeds: int


def scores_of(
    rows: Iterable[ResultRow],
    measure: str,
    patches: str,
    *,
    subset: str = "test",
    test: str = "two-frame",
    rate_scale: float | None = None,
) -> Scores:
    """The rows of one figure.

    Args:
        rows: of a study.
        measure: name of the figure.
        patches: method of the chains; models that are one for all seeds draw none and are taken whatever they say.
        subset: ``test`` or ``select``.
        test: ``two-frame`` or ``ope``.
        rate_scale: of the trained models to take; None takes all, of which each has one in ``test``.
    """
    chosen = [
        row
        for row in rows
        if (row.measure, row.set, row.test) == (measure, subset, test)
        and (row.seed is None or row.patches == patches)
        and (rate_scale is None or row.rate_scale in (None, rate_scale))
        and (row.modality == "tir" or row.row == A1.row)
    ]
    clip_of = {row.sequence: row.clip for row in chosen}
    names = tuple(sorted(clip_of))
    place = {name: i for i, name in enumerate(names)}
    values: dict[Arm, dict[int | None, NDArray[np.float64]]] = {}
    for row in chosen:
        model = Arm(row.row, row.control) if row.modality == "tir" else Arm(TEACHER_ON_RGB)
        seeds = values.setdefault(model, {})
        seeds.setdefault(row.seed, np.full(len(names), np.nan))[place[row.sequence]] = row.value
    return Scores(names, _numbered([clip_of[name] for name in names]), values)


def align(scores: Scores, models: Sequence[Arm]) -> Aligned | None:
    """Models on the sequences and seeds that all of them have; None where there are none."""
    if not all(model in scores.values for model in models):
        return None
    own: list[set[int | None]] = [set(scores.values[m]) for m in models if None not in scores.values[m]]
    shared = sorted(set.intersection(*own) if own else {None}, key=str)
    if not shared:
        return None
    stacked = np.stack([_by_seed(scores.values[model], shared) for model in models])
    kept = ~np.isnan(stacked).any(axis=(0, 2))
    if not kept.any():
        return None
    return Aligned(stacked[:, kept], _numbered(list(scores.clips[kept])), len(shared) if own else 0)


def _by_seed(seeds: Mapping[int | None, NDArray[np.float64]], shared: Sequence[int | None]) -> NDArray[np.float64]:
    return np.stack([seeds[None if None in seeds else seed] for seed in shared], axis=1)


def _numbered(names: Sequence[object]) -> NDArray[np.int64]:
    return np.asarray(np.unique(np.array(names), return_inverse=True)[1], np.int64).reshape(len(names))
