"""Frames of two clips: by count where both keep step, by time where rates differ, refused where they contradict."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pairing.discovery.clips import Timing, by_frame, in_step, inconsistent
from pipeline.pairing.discovery.rules import Match

Make = Callable[..., Any]


def steady(count: int, rate: float) -> Timing:
    return Timing(count, np.arange(count) / rate, rate)


def unknown(count: int) -> Timing:
    return Timing(count, None, 0.0)


def paired(matches: list[Match]) -> list[tuple[int, int]]:
    """Frame numbers of the pairs."""
    return [
        (int(match.rgb.partition("=")[2]), int(match.tir.partition("=")[2]))
        for match in matches
        if match.rgb and match.tir and match.reason is None
    ]


def test_clips_in_step_pair_by_count() -> None:
    matches, notes = by_frame("v.mp4", "t.mp4", steady(3, 25), steady(3, 25))
    assert [(m.frame, m.rgb, m.tir, m.timestamp, m.skew) for m in matches] == [
        ("000000", "v.mp4#frame=0", "t.mp4#frame=0", 0.0, None),
        ("000001", "v.mp4#frame=1", "t.mp4#frame=1", 0.04, None),
        ("000002", "v.mp4#frame=2", "t.mp4#frame=2", 0.08, None),
    ]
    assert notes == []


def test_three_visible_frames_to_each_thermal_one() -> None:
    matches, (note,) = by_frame("v", "t", steady(60, 30), steady(20, 10))
    assert paired(matches) == [(3 * k, k) for k in range(20)]
    assert len(matches) == 20
    assert all(match.skew == pytest.approx(0, abs=1e-9) for match in matches)
    assert note == (
        "paired by time: 60 and 20 frames, visible 30 frames/s, thermal 10 frames/s; "
        "40 visible frames lie between and are left out"
    )
    swapped, (note,) = by_frame("v", "t", steady(20, 10), steady(60, 30))
    assert paired(swapped) == [(k, 3 * k) for k in range(20)]
    assert note.endswith("40 thermal frames lie between and are left out")


@given(st.floats(4, 60), st.floats(4, 60), st.integers(20, 300))
def test_no_pair_is_further_apart_than_half_the_shorter_interval(first: float, second: float, count: int) -> None:
    visible, thermal = steady(count, first), steady(max(2, round(count / first * second)), second)
    matches, _ = by_frame("v", "t", visible, thermal)
    found = paired(matches)
    assert all(abs(i / first - j / second) <= 0.5 / max(first, second) + 0.0011 for i, j in found)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    ended = sum(match.reason == "missing_counterpart" for match in matches)
    assert len(found) + ended >= min(visible.count, thermal.count) - max(first, second) / 4


def test_29_97_beside_30_drifts_by_a_frame_in_33_seconds() -> None:
    long, (note,) = by_frame("v", "t", steady(1800, 30), steady(1798, 30000 / 1001))
    found = paired(long)
    assert found[0] == (0, 0)
    assert found[-1] == (1798, 1796) or found[-1] == (1799, 1797)
    assert max(abs(i / 30 - j * 1001 / 30000) for i, j in found) <= 1 / 60 + 0.0011
    assert "visible 30 frames/s, thermal 29.97 frames/s" in note
    short, notes = by_frame("v", "t", steady(60, 30), steady(60, 30000 / 1001))
    assert (paired(short), notes) == ([(i, i) for i in range(60)], [])


def test_frames_that_a_camera_lost_leave_a_gap_where_the_container_has_stamps() -> None:
    times = np.delete(np.arange(60) / 30, [20, 21, 22])
    visible, thermal = steady(60, 30), Timing(57, times, 56 / times[-1])
    matches, _ = by_frame("v", "t", visible, thermal)
    assert paired(matches) == [(i, i) for i in range(20)] + [(i, i - 3) for i in range(23, 60)]
    alone = [match for match in matches if match.reason]
    assert [(match.rgb, match.tir, match.reason) for match in alone] == []


def test_one_clip_ends_earlier() -> None:
    matches, (note,) = by_frame("v.mp4", "t.mp4", steady(30, 30), steady(28, 30))
    assert paired(matches) == [(i, i) for i in range(28)]
    assert [(m.rgb, m.reason, m.detail) for m in matches if m.reason] == [
        (f"v.mp4#frame={i}", "missing_counterpart", "the clips have 30 and 28 frames: the other has ended")
        for i in (28, 29)
    ]
    assert note == "paired by time: 30 and 28 frames, visible 30 frames/s, thermal 30 frames/s" + (
        "; a frame lost without a gap in the stamps would shift those after it"
    )


def test_rates_that_contradict_the_lengths_are_refused_with_both_named() -> None:
    said = inconsistent(steady(600, 30), steady(200, 25))
    assert said.startswith("600 and 200 frames, visible 30 frames/s, thermal 25 frames/s, so 20.00 and 8.00 s of what")
    assert inconsistent(steady(600, 30), steady(200, 30)) != ""
    assert inconsistent(steady(600, 30), steady(590, 30)) == ""
    assert inconsistent(steady(600, 30), steady(200, 10)) == ""


def test_unknown_rates() -> None:
    assert "200 frames, visible of unknown rate, thermal 10 frames/s" in inconsistent(unknown(600), steady(200, 10))
    assert not in_step(unknown(5), unknown(5))
    assert inconsistent(unknown(5), unknown(5)) == ""
    matches, (note,) = by_frame("v", "t", unknown(5), unknown(5))
    assert paired(matches) == [(i, i) for i in range(5)]
    assert matches[0].timestamp is None
    assert note.startswith("paired by frame number: visible of unknown rate, thermal of unknown rate")


def write(path: Path, count: int, rate: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*kind), rate, (32, 24))
    for i in range(count):
        writer.write(np.full((24, 32, 3), 40 + i, np.uint8))
    writer.release()


@pytest.mark.parametrize("suffix", [".avi", ".mp4", ".mkv"])
def test_files_of_different_rates(tmp_path: Path, suffix: str, found: Make) -> None:
    for name, thermal in (("fits", (20, 10.0)), ("lies", (20, 25.0))):
        write(tmp_path / f"Video/test/visible/{name}{suffix}", 60, 30.0)
        write(tmp_path / f"Video/test/infrared/{name}{suffix}", *thermal)
    fits, lies = found(tmp_path, "m3svd_video")
    assert [pair.pair_id for pair in fits.pairs] == [f"test/fits/{3 * k:06d}" for k in range(20)]
    assert fits.rejects == []
    assert fits.notes[0].startswith("paired by time: 60 and 20 frames, visible 30 frames/s, thermal 10 frames/s")
    assert lies.pairs == []
    assert [(reject.reason, reject.rgb) for reject in lies.rejects] == [
        ("temporal_mismatch", f"Video/test/visible/lies{suffix}")
    ]
    assert "visible 30 frames/s, thermal 25 frames/s" in lies.rejects[0].detail
