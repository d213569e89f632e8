"""Sample weights and the memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.trackers.online.memory import Memory, SampleWeights


@given(
    rates=st.lists(st.sampled_from([0.01, 0.02, 0.2]), max_size=60),
    initial=st.integers(1, 8),
    minimum=st.sampled_from([None, 0, 0.25]),
)
def test_weights_sum_to_about_one_and_the_first_frame_keeps_its_share(
    rates: list[float], initial: int, minimum: float | None
) -> None:
    weights = SampleWeights(initial, 12, minimum)
    most = minimum + 1 / (1 + minimum) if minimum else 1
    for count, rate in enumerate(rates):
        slot = weights.add(rate)
        assert 1 - 1e-5 <= weights.values.sum() <= most + 1e-5
        assert (weights.values >= 0).all()
        if minimum:
            assert slot >= initial
            assert weights.values[:initial].sum() >= minimum - 1e-5
        assert weights.stored == min(initial + count + 1, 12)


def test_free_slots_first_then_the_least() -> None:
    weights = SampleWeights(2, 5, 0.25)
    assert [weights.add(0.1) for _ in range(3)] == [2, 3, 4]
    assert weights.add(0.1) == 2
    assert weights.add(0.1) == 3


def test_a_new_sample_outweighs_the_one_before_by_its_rate() -> None:
    weights = SampleWeights(2, 8, None)
    first, second = weights.add(0.1), weights.add(0.2)
    assert weights.values[second] / weights.values[first] == pytest.approx(1 / 0.8, rel=1e-5)


def test_a_rate_of_one_forgets_everything() -> None:
    weights = SampleWeights(3, 5, None)
    assert weights.add(1) == 0
    np.testing.assert_array_equal(weights.values, [1, 0, 0, 0, 0])


def test_a_memory_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sample_memory_size is 4, but the first frame gives 4"):
        SampleWeights(4, 4, 0.25)


def test_memory_keeps_samples_with_their_targets() -> None:
    memory = Memory(torch.zeros(2, 3, 4, 4), torch.zeros(2, 4), 4, 0.25)
    for value in (1.0, 2.0, 3.0):
        memory.add(torch.full((1, 3, 4, 4), value), torch.full((4,), value), 0.1)
    assert memory.samples[:, 0, 0, 0].tolist() == [0, 0, 3, 2]
    assert memory.targets[:, 0].tolist() == [0, 0, 3, 2]
    assert memory.shares.sum() == pytest.approx(1, abs=1e-5)
