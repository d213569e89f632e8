"""Means over sequences as the toolkit takes them."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.evaluate.score_trackers import evaluate
from trainer.evaluate.scores import ScoredTracker

from ..conftest import World


def tracker(*heights: float) -> ScoredTracker:
    """Flat curves, one a sequence."""
    return ScoredTracker(
        "t", {"success": np.outer(heights, np.ones(21)), "precision": np.outer(heights, np.arange(51) / 50)}
    )


def test_every_sequence_weighs_the_same_and_one_that_is_all_zero_none() -> None:
    assert tracker(0.2, 0.6).score("success") == pytest.approx(0.4)
    assert tracker(0.2, 0.6).score("precision") == pytest.approx(0.4 * 20 / 50), "read at 20 pixels"
    assert tracker(0.2, 0.0, 0.6).score("success") == pytest.approx(0.4)
    assert np.isnan(tracker(0.2, 0.0).scores("success")[1])
    assert tracker(0.2, 0.0, 0.6).mean_curve("success") == pytest.approx(np.full(21, 0.4))


def test_an_attribute_of_one_sequence_has_no_score() -> None:
    found = tracker(0.2, 0.6, 0.7)
    assert found.score("success", np.array([True, True, False])) == pytest.approx(0.4)
    assert found.score("success", np.array([True, False, False])) is None
    assert found.score("normalized_precision") is None
    assert tracker(0.0).score("success") is None
    assert np.isnan(tracker(0.0).mean_curve("success")).all()


@pytest.mark.parametrize("value", [1e308, -1e308, np.inf, -np.inf])
def test_huge_numbers_are_misses_not_crashes(world: World, value: float) -> None:
    wild = world.add("wild", lambda boxes: np.full_like(boxes, value))
    (found,) = evaluate(world.dataset, world.folder("truth"), [("wild", wild)], None).trackers
    first_frames = np.mean([1 / len(boxes) for boxes in world.truth.values()])
    assert found.score("precision") == pytest.approx(first_frames)
    assert found.score("success") == pytest.approx(first_frames * 20 / 21)
