"""Results of studies that nobody ran: what each model scores is planted, with effects of sequences and of seeds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trainer.study.judge import Arm, Scores
from trainer.study.results import ResultRow

SEEDS = 3
ALL = ("d3", "shuffled", "rgb-rgb", "gray", "tir-tir", "oracle")
SPREAD = 0.02
"""Deviation between sequences of what a student gains."""


def arm(name: str) -> Arm:
    """A row, or a control of d3."""
    return Arm("d3", name) if name in ALL[1:] else Arm(name)


def planted(
    gains: Mapping[str, float],
    seed: int,
    *,
    sequences: int = 100,
    seeds: int = SEEDS,
    seed_deviation: float = 0.0,
    spread: float = SPREAD,
) -> Scores:
    """A table in which each model gains so much over a1.

    Args:
        gains: by model, of IoU.
        seed: of the noise.
        sequences: each a clip of its own.
        seeds: of each model.
        seed_deviation: between seeds, in errors of the mean over sequences (spread / sqrt(sequences)).
        spread: between sequences, of each model's gain.
    """
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.2, 0.8, sequences)
    values: dict[Arm, dict[int | None, np.ndarray]] = {Arm("a1"): {None: base}}
    for name, gain in gains.items():
        of_sequences = rng.normal(gain, spread, sequences)
        of_seeds = rng.normal(0, seed_deviation * spread / np.sqrt(sequences), seeds)
        rest = rng.normal(0, spread / 4, (seeds, sequences))
        values[arm(name)] = {k: base + of_sequences + of_seeds[k] + rest[k] for k in range(seeds)}
    return Scores(tuple(f"s{i:03}" for i in range(sequences)), np.arange(sequences), values)


def rows_of(scores: Scores, measure: str = "iou_from_peak", **told: object) -> list[ResultRow]:
    """The rows that such a table is read from."""
    return [
        ResultRow(
            clip=sequence,
            measure=measure,
            patches="center",
            row=model.row,
            control=model.control,
            seed=seed,
            sequence=sequence,
            value=float(value),
            windows=10,
            **told,
        )
        for model, seeds in scores.values.items()
        for seed, each in seeds.items()
        for sequence, value in zip(scores.sequences, each)
    ]
