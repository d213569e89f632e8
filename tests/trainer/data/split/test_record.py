"""The record of a split: written, read, put together, and refused where two disagree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataError, UsageError
from pipeline.files.json_text import write_json
from trainer.data.split.record import Known, Split, join, read_split, refuse_other_settings
from trainer.data.split.side import HELD_OUT, LEFT_OUT, TRAINING, Side, cut

FRAMES = [str(number) for number in range(30)]
CUTS = st.tuples(st.integers(0, 28), st.integers(1, 9)).map(
    lambda ends: Side("cut", str(ends[0]), str(min(29, ends[0] + ends[1])))
)
SIDES = st.one_of(CUTS, st.sampled_from([TRAINING, HELD_OUT, LEFT_OUT]))


def one(side: Side, key: str = "k|a") -> Split:
    return Split(0.1, 3, {key: Known(side, {"0": "ab"})})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    split = Split(0.1, 3, {"k|a": Known(Side("cut", "9", "10"), {"9": "ab"}), "k|b": Known(LEFT_OUT)})
    write_json(tmp_path / "split.json", split.record())
    assert read_split(tmp_path / "split.json") == split
    assert read_split(tmp_path / "split.json").digest() == split.digest()
    assert one(TRAINING).digest() != one(HELD_OUT).digest()


@pytest.mark.parametrize("fault", ["side", "missing", "no JSON"])
def test_a_damaged_record_is_named(tmp_path: Path, fault: str) -> None:
    content = one(TRAINING).record()
    if fault == "side":
        content["sequences"]["k|a"]["side"] = "both"
    else:
        del content["held_out"]
    (tmp_path / "split.json").write_text("{" if fault == "no JSON" else json.dumps(content))
    with pytest.raises(DataError, match=r"split\.json: "):
        read_split(tmp_path / "split.json")


@given(SIDES, SIDES)
def test_two_disagree_where_one_trains_on_what_the_other_holds_out(a: Side, b: Side) -> None:
    clash = any({a.of(frame), b.of(frame)} == {"training", "held_out"} for frame in FRAMES)
    assert a.contradicts(b) == b.contradicts(a)
    # Frames that are not there may come, so a contradiction may be of those alone; never the other way round.
    assert a.contradicts(b) or not clash
    if a.contradicts(b):
        with pytest.raises(UsageError, match=r"RUNS/b1 and RUNS/c1 disagree about sequence k\|a: "):
            join([("RUNS/b1", one(a)), ("RUNS/c1", one(b))])
        return
    joined = join([("RUNS/b1", one(a)), ("RUNS/c1", one(b))])
    assert joined is not None
    for frame in FRAMES:
        both = {a.of(frame), b.of(frame)}
        assert joined.sequences["k|a"].side.of(frame) in both
        assert {joined.sequences["k|a"].side.of(frame), *both} != {"training", "held_out"}


def test_what_one_alone_knows_is_kept_and_settings_must_be_those_of_the_parents() -> None:
    joined = join([("a", one(TRAINING)), ("b", one(HELD_OUT, "k|b"))])
    assert joined == Split(0.1, 3, {"k|a": Known(TRAINING, {"0": "ab"}), "k|b": Known(HELD_OUT, {"0": "ab"})})
    assert join([]) is None
    with pytest.raises(UsageError, match=r"a was split with held_out=0\.1, split_seed=3, b with held_out=0\.2"):
        join([("a", one(TRAINING)), ("b", Split(0.2, 3, {}))])
    refuse_other_settings("RUNS/a", one(TRAINING), 0.1, 3)
    with pytest.raises(UsageError, match=r"give --set held_out=0\.1 --set split_seed=3"):
        refuse_other_settings("RUNS/a", one(TRAINING), 0.1, 0)


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.booleans())
def test_a_cut_keeps_names_in_the_order_of_their_numbers(count: int, share: float, padded: bool) -> None:
    frames = [f"{number:0{5 if padded else 1}d}" for number in range(count)]
    side = cut(frames, share)
    kinds = [side.of(frame) for frame in frames]
    held = min(round(share * count), count - 1)
    assert kinds.count("held_out") == held
    assert kinds == sorted(kinds, key=["training", "left_out", "held_out"].index)
    assert kinds.count("left_out") <= 5
    assert kinds[0] == "training"
