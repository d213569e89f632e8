"""Pairing rules as functions of two lists of names."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataError
from pipeline.files.names import natural
from pipeline.pairing.discovery import rules
from pipeline.pairing.discovery.tree import Picture, matcher

WORD = st.text("abcXYZ019", min_size=1, max_size=4)


def pictures(folder: str, frames: list[str]) -> list[Picture]:
    return [Picture(frame, f"{folder}/{frame}.jpg") for frame in frames]


def used(matches: list[rules.Match]) -> list[str]:
    return sorted(path for match in matches for path in (match.rgb, match.tir) if path)


@given(st.lists(WORD, unique=True, max_size=8), st.lists(WORD, unique=True, max_size=8))
def test_stem_uses_every_picture_once(rgb: list[str], tir: list[str]) -> None:
    visible, thermal = pictures("v", rgb), pictures("t", tir)
    matches = rules.by_stem(visible, thermal)
    assert used(matches) == sorted(picture.path for picture in visible + thermal)
    paired = {match.frame.casefold() for match in matches if match.rgb and match.tir}
    assert paired == {name.casefold() for name in rgb} & {name.casefold() for name in tir}
    assert all((match.reason is None) == bool(match.rgb and match.tir) for match in matches)
    assert matches == rules.by_stem(visible[::-1], thermal[::-1]) or len(paired) < min(len(rgb), len(tir))


@given(
    st.sampled_from(["", "v", "VIS_"]),
    st.sampled_from(["", "i", "_RGB", "_PreviewData"]),
    st.text("0123456789", min_size=1, max_size=6),
)
def test_affixes_come_off(prefix: str, suffix: str, frame: str) -> None:
    expression = matcher(f"{prefix}{{frame}}{suffix}")
    for name in (f"{prefix}{frame}{suffix}", f"{prefix}{frame}{suffix}".swapcase()):
        match = expression.fullmatch(name)
        assert match is not None
        assert match.groups() == (frame,)
    assert not suffix or expression.fullmatch(f"{prefix}{frame}") is None


@given(st.text(max_size=12), st.text(max_size=12))
def test_pattern_text_is_literal(literal: str, name: str) -> None:
    literal = re.sub(r"[|*{}]", "", literal)
    assert (matcher(literal).fullmatch(name) is not None) == (
        re.fullmatch(re.escape(literal), name, re.IGNORECASE) is not None
    )


@given(st.lists(st.integers(0, 10**9), min_size=2))
def test_natural_order_is_numeric(numbers: list[int]) -> None:
    assert sorted((f"I{n}" for n in numbers), key=natural) == [f"I{n}" for n in sorted(numbers)]


@given(st.lists(st.text("aA0129²٣ ", max_size=5), unique=True))
def test_natural_order_is_total(names: list[str]) -> None:
    ordered = sorted(names, key=natural)
    assert ordered == sorted(names, key=natural)
    assert all(natural(a) < natural(b) for a, b in itertools.pairwise(ordered))


@given(
    st.lists(st.integers(0, 5000), unique=True, max_size=12),
    st.lists(st.integers(0, 5000), unique=True, max_size=12),
    st.integers(0, 500),
)
def test_time_pairs_mutually_nearest_within_tolerance(rgb: list[int], tir: list[int], tolerance: int) -> None:
    visible, thermal = pictures("v", [str(t) for t in rgb]), pictures("t", [str(t) for t in tir])
    matches = rules.by_time(visible, thermal, "milliseconds", tolerance / 1000 + 1e-9)
    assert used(matches) == sorted(picture.path for picture in visible + thermal)
    for match in matches:
        if match.reason is None:
            assert match.rgb is not None and match.tir is not None
            a, b = int(match.rgb[2:-4]), int(match.tir[2:-4])
            assert match.timestamp == pytest.approx(a / 1000)
            assert match.skew == pytest.approx((b - a) / 1000)
            assert abs(a - b) <= tolerance
            assert min(abs(a - other) for other in tir) == abs(a - b) == min(abs(b - other) for other in rgb)


@given(st.integers(1, 20), st.floats(0, 0.0199))
def test_time_recovers_a_shifted_copy(count: int, shift: float) -> None:
    start, form = datetime(2014, 5, 5, 17, 21, 41, 236000, UTC), "%Y_%m_%d_%H_%M_%S_%f"
    moments = [start + timedelta(seconds=0.1 * i) for i in range(count)]
    visible = pictures("v", [moment.strftime(form) for moment in moments])
    thermal = pictures("t", [(moment + timedelta(seconds=shift)).strftime(form) for moment in moments])
    matches = rules.by_time(visible, thermal, form, 0.02)
    assert [(match.rgb, match.tir) for match in matches] == [(a.path, b.path) for a, b in zip(visible, thermal)]
    assert all(match.skew == pytest.approx(shift, abs=2e-6) for match in matches)


def test_time_reasons() -> None:
    matches = rules.by_time(pictures("v", ["1.0", "1.4", "x", "9"]), pictures("t", ["1.1", "5"]), "seconds", 0.5)
    reasons = {match.rgb or match.tir: (match.reason, match.detail) for match in matches}
    assert reasons["v/1.0.jpg"] == (None, "")
    assert reasons["v/1.4.jpg"] == ("temporal_mismatch", "the nearest thermal picture is nearer to another visible one")
    assert reasons["v/9.jpg"] == ("temporal_mismatch", "nearest thermal picture is 4.000 s away, tolerance 0.5 s")
    assert reasons["v/x.jpg"] == ("temporal_mismatch", "name holds no time in the form seconds")
    assert reasons["t/5.jpg"] == ("temporal_mismatch", "no visible picture near in time")
    (alone,) = rules.by_time(pictures("v", ["1"]), [], "seconds", 1)
    assert alone.reason == "missing_counterpart"


@pytest.mark.parametrize("name", ["nan", "inf", "-inf", "1e999"])
def test_time_that_is_no_number_is_no_time(name: str) -> None:
    matches = rules.by_time(pictures("v", [name, "1"]), pictures("t", ["1"]), "seconds", 0.5)
    assert {match.rgb: match.reason for match in matches} == {f"v/{name}.jpg": "temporal_mismatch", "v/1.jpg": None}


def test_map_by_path_name_or_stem() -> None:
    visible, thermal = pictures("v", ["a", "B", "c", "d"]), pictures("t", ["x", "Y", "z", "w"])
    mapping = {"v/a.jpg": "x.jpg", "b": "t/y.jpg", "c.jpg": "gone"}
    matches = rules.by_map(visible, thermal, mapping)
    assert {match.rgb: match.tir for match in matches if match.reason is None} == {
        "v/a.jpg": "t/x.jpg",
        "v/B.jpg": "t/Y.jpg",
    }
    details = {match.rgb or match.tir: match.detail for match in matches if match.reason}
    assert details == {
        "v/c.jpg": "mapped to gone, which is not there",
        "v/d.jpg": "not in the map file",
        "t/z.jpg": "no visible picture is mapped to it",
        "t/w.jpg": "no visible picture is mapped to it",
    }
    with pytest.raises(DataError, match=r"gives t/x\.jpg to two visible pictures"):
        rules.by_map(visible, thermal, {"a": "x", "b": "x"})


def test_channels() -> None:
    (match,) = rules.by_channels(pictures("images", ["00001D"]))
    assert (match.rgb, match.tir) == ("images/00001D.jpg#rgb", "images/00001D.jpg#3")
