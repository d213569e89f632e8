"""The rule by which runs of 0.1 go on: a property of a sequence, with no frame's neighbour on the other side."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.split.old_rule import MIN_SEQUENCES, old_split, sides_of
from trainer.data.split.side import GAP, frame_of, key_of


def split_sequences(names: list[tuple[str, str]], share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Masks of training and of validation; the record of the sides says the same of every pair."""
    kinds = old_split(names, share, seed)
    sides = sides_of(names, kinds)
    assert [sides[key_of(*name)].of(frame_of(name[1])) for name in names] == kinds
    return tuple(np.array([kind == wanted for kind in kinds]) for wanted in ("training", "held_out"))


VIDEOS = st.integers(MIN_SEQUENCES, 40).map(lambda n: [f"set00/V{i:03d}" for i in range(n)])


def frames(videos: list[str], count: int = 3, source: str = "kaist") -> list[tuple[str, str]]:
    return [(source, f"{video}/I{frame:05d}") for video in videos for frame in range(count)]


def side_by_sequence(names: list[tuple[str, str]], share: float, seed: int = 0) -> dict[tuple[str, str], bool]:
    _, test = split_sequences(names, share, seed)
    return {(source, name.rpartition("/")[0]): bool(side) for (source, name), side in zip(names, test)}


@given(VIDEOS, st.floats(0.01, 0.99), st.integers(0, 99))
def test_sequences_are_whole_and_both_sides_are_there(videos: list[str], share: float, seed: int) -> None:
    names = frames(videos)
    train, test = split_sequences(names, share, seed)
    assert (train != test).all()
    assert train.any()
    assert test.any()
    by_sequence = side_by_sequence(names, share, seed)
    assert all(by_sequence[source, name.rpartition("/")[0]] == side for (source, name), side in zip(names, test))


@given(VIDEOS, st.integers(0, 99), st.data())
def test_a_sequence_is_judged_by_itself(videos: list[str], seed: int, data: st.DataObject) -> None:
    """A mining method that loses sequences, or another order or number of frames, moves none to the other side."""
    share = 0.5
    whole = side_by_sequence(frames(videos), share, seed)
    kept = data.draw(st.permutations(videos).flatmap(lambda v: st.integers(MIN_SEQUENCES, len(v)).map(lambda n: v[:n])))
    part = side_by_sequence(frames(kept, count=1), share, seed)
    known = [whole["kaist", video] for video in kept]
    if any(known) and not all(known):
        assert [part["kaist", video] for video in kept] == known


def test_about_the_share_is_held_out_and_the_seed_and_data_set_count() -> None:
    videos = [f"v{i}" for i in range(2000)]
    kaist = side_by_sequence(frames(videos, 1), 0.1)
    assert abs(np.mean(list(kaist.values())) - 0.1) < 0.02
    other_seed = side_by_sequence(frames(videos, 1), 0.1, seed=1)
    other_data = side_by_sequence(frames(videos, 1, "flir"), 0.1)
    assert kaist != other_seed
    assert list(kaist.values()) != list(other_data.values())


def test_no_share_holds_nothing_out() -> None:
    train, test = split_sequences(frames(["a", "b"]), 0.0, 0)
    assert train.all()
    assert not test.any()


@given(st.integers(1, MIN_SEQUENCES - 1), st.integers(1, 80), st.floats(0.01, 0.99), st.booleans())
def test_few_sequences_are_cut_behind_a_gap(sequences: int, count: int, share: float, padded: bool) -> None:
    """Also where frame numbers are not padded, so that names do not sort like numbers."""
    width = 5 if padded else 1
    names = [("s", f"v{i}/{frame:0{width}d}") for i in range(sequences) for frame in range(count)]
    train, test = split_sequences(names, share, 0)
    assert not (train & test).any()
    gap = min(GAP, count // 4)
    for i in range(sequences):
        rows = slice(i * count, (i + 1) * count)
        first, last = np.flatnonzero(train[rows]), np.flatnonzero(test[rows])
        assert len(first)
        assert len(last) == min(round(share * count), count - 1)
        if len(last):
            assert last.min() - first.max() > min(gap, last.min() - 1)


def test_a_pair_that_two_methods_mined_is_on_one_side() -> None:
    once = [("s", f"v/{frame}") for frame in range(4)]
    train, test = split_sequences(once + once, 0.5, 0)
    assert (train[:4] == train[4:]).all()
    assert (test[:4] == test[4:]).all()
    assert not (train & test).any()
