"""Segments of sequences, and tubes that go through several of them."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mine.settings import MineSettings
from pipeline.mine.tubes.join import join
from pipeline.mine.tubes.segments import plan_segments
from pipeline.mine.tubes.tube import Followed, Tube

FRAMES = 60


@st.composite
def whole_tubes(draw: st.DrawFn) -> list[Tube]:
    """Tubes in a sequence, each in a lane of its own, with gaps of at most three steps."""
    found = []
    for lane in range(draw(st.integers(0, 5))):
        first, end = sorted(draw(st.lists(st.integers(0, FRAMES - 1), min_size=2, max_size=2, unique=True)))
        frames = np.arange(first, end + 1)
        frames = frames[(frames - first) % draw(st.sampled_from([60, 2, 3, 5])) != 1]
        boxes = np.array([[2.0 * frame, 50.0 * lane, 30, 40] for frame in frames])
        found.append(Tube(frames, boxes, np.full(len(frames), 0.5), draw(st.integers(-1, 3))))
    return found


@given(whole_tubes(), st.integers(6, 40), st.integers(3, 12), st.randoms())
def test_tubes_are_the_same_wherever_their_sequence_is_cut(tubes: list[Tube], length: int, margin: int, rng) -> None:
    settings = MineSettings(method="detection", tubes=True, max_gap=3, min_length=2, patches_per_pair=100)
    pieces = []
    for segment in plan_segments(["s"] * FRAMES, np.arange(FRAMES), margin, length):
        seen = [tube.take(np.isin(tube.frames, segment.rows)) for tube in tubes]
        seen = [tube for tube in seen if len(tube)]
        rng.shuffle(seen)
        pieces.append((Followed(seen, Counter(lost=1)), segment.owned))
    joined = join(pieces, settings)
    expected = sorted((tube for tube in tubes if len(tube) >= 2), key=lambda tube: (tube.frames[0], *tube.boxes[0]))
    assert joined.dropped["lost"] == len(pieces)
    for one, other in zip(joined.tubes, expected, strict=True):
        assert np.array_equal(one.frames, other.frames)
        assert np.array_equal(one.boxes, other.boxes)
        assert one.category == other.category


def test_two_that_are_one_in_the_frames_both_saw_are_joined_and_others_are_not() -> None:
    settings = MineSettings(method="detection", tubes=True, max_gap=3, min_length=2)

    def tube(first: int, end: int, x: float) -> Tube:
        boxes = np.array([[x, 0, 10, 10]] * (end - first), np.float64)
        return Tube(np.arange(first, end), boxes, np.ones(end - first))

    before = Followed([tube(0, 14, 0), tube(0, 9, 50)])
    after = Followed([tube(8, 20, 1), tube(11, 20, 50)])
    found = join([(before, (0, 10)), (after, (10, 20))], settings).tubes
    assert [each.frames.tolist() for each in found] == [[*range(20)], [*range(9)], [*range(11, 20)]]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400)), min_size=1, max_size=80, unique=True),
    st.integers(1, 9),
    st.integers(1, 30),
)
def test_every_frame_is_owned_by_one_segment_that_sees_it(
    frames: list[tuple[str, int]], margin: int, length: int
) -> None:
    names, positions = [name for name, _ in frames], np.array([position for _, position in frames])
    segments = list(plan_segments(names, positions, margin, length))
    for row, (name, position) in enumerate(frames):
        owners = [each for each in segments if each.sequence == name and each.owned[0] <= position < each.owned[1]]
        assert len(owners) == 1
        assert row in owners[0].rows
    for segment in segments:
        own = positions[segment.rows]
        assert (np.diff(own) > 0).all()
        inside = (own >= segment.owned[0]) & (own < segment.owned[1])
        assert inside.sum() <= 2 * length
        assert len(own) - inside.sum() <= 2 * margin
