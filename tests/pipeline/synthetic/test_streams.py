"""Random streams: one to one with what they are for, so that what is learnt from is never what is measured on."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.synthetic import sequences
from pipeline.synthetic.optics import noise, sensor
from pipeline.synthetic.scene import layout, tracking_layout
from pipeline.synthetic.scene.scene import PAIRS, TRACKING, Scene

SIZE = (96, 96)
SEEDS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3) | st.integers(0, 3).map(lambda high: 5 + 2**32 * high)
KEYS = st.lists(st.integers(0, 2) | st.integers(0, 2**32 - 1), max_size=4).map(tuple)
Named = tuple[int, tuple[int, ...]]


def _state(named: Named) -> bytes:
    """What NumPy makes of a seed and a key."""
    return np.random.SeedSequence(noise.words(named[0], *named[1])).generate_state(8).tobytes()


@given(one=st.tuples(SEEDS, KEYS), other=st.tuples(SEEDS, KEYS))
def test_another_seed_or_key_is_another_stream(one: Named, other: Named) -> None:
    assert (_state(one) == _state(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [((1, ()), (1, (0,))), ((5 + 2**32, (0, 1)), (5, (1, 0, 1))), ((-1, (2,)), (2**32 - 1, (2**32 - 1, 2)))],
)
def test_what_numpy_takes_for_one_is_told_apart(one: Named, other: Named) -> None:
    assert _state(one) != _state(other)


@pytest.mark.parametrize(("seed", "key"), [(2**63, ()), (-(2**63) - 1, ()), (0, (2**32,)), (0, (-1,))])
def test_a_seed_or_key_that_would_wrap_round_is_refused(seed: int, key: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        noise.stream(seed, *key)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], set[tuple[int, ...]]]]:
    """The words of all streams opened since it was last called."""
    opened: set[tuple[int, ...]] = set()

    def words(seed: int, *key: int, made: Callable[..., list[int]] = noise.words) -> list[int]:
        opened.add(tuple(made(seed, *key)))
        return made(seed, *key)

    def since() -> set[tuple[int, ...]]:
        found = set(opened)
        opened.clear()
        return found

    monkeypatch.setattr(noise, "words", words)
    sequences.stage.cache_clear()
    yield since
    sequences.stage.cache_clear()


def test_no_stream_serves_two_sequences(drawn: Callable[[], set[tuple[int, ...]]]) -> None:
    """Neither a pair and a tracking sequence, nor two of either, nor those of two seeds."""
    found: list[set[tuple[int, ...]]] = []
    for seed in (5, 6):
        for index in (0, 2):
            for frame in (0, 1):
                sequences.pair(seed, index, frame, SIZE)
            found.append(drawn())
            for frame in (0, 1):
                sequences.tracking_frame(seed, index, frame, SIZE, twin=True)
            found.append(drawn())
    assert min(map(len, found)) > 20
    assert sum(map(len, found)) == len(set().union(*found))


def test_no_pair_sequence_is_laid_out_as_a_tracking_sequence() -> None:
    """They met from the thousandth pair sequence on."""
    for index in range(8):
        script = tracking_layout.SCRIPTS[index]
        measured = tracking_layout.scene(3, index, SIZE)
        for other in (index, 1000 + index):
            learnt = layout.place(3, (PAIRS, other), SIZE, script.night, script.paved)
            assert learnt.climate != measured.climate
            assert learnt.street.slope != measured.street.slope


def _face(scene: Scene) -> tuple[float, float, tuple[float, ...]]:
    return scene.street.slope, scene.climate.air, tuple(actor.path.length for actor in scene.actors)


def test_sequences_to_hold_out_are_all_different_and_of_every_kind() -> None:
    faces = {_face(tracking_layout.scene(seed, index, SIZE)) for seed in range(3) for index in range(16)}
    assert len(faces) == 48
    names = [tracking_layout.name(index) for index in range(16)]
    assert len(set(names)) == 16
    assert {name.split("_")[0] for name in names} == {script.kind for script in tracking_layout.SCRIPTS}


@pytest.mark.parametrize("kind", [PAIRS, TRACKING])
def test_pairs_and_tracking_sequences_are_filmed_by_cameras_of_one_make(
    kind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever they film: here nothing."""
    monkeypatch.setattr(sequences, "build", lambda scene: SimpleNamespace(canvas=np.zeros((*SIZE, 4), np.float32)))
    cameras = [sequences.stage.__wrapped__(1, kind, index, SIZE).thermal for index in range(12)]
    for name, (low, high) in {"white": sensor.WHITE, "blur": sensor.BLUR}.items():
        values = [getattr(camera, name) for camera in cameras]
        assert low <= min(values) < low + 0.3 * (high - low)
        assert high - 0.3 * (high - low) < max(values) <= high
