"""Frames of 16 bits that all lie outside of their sequence's range: black or white, and told."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from trainer.track import run
from trainer.track.settings import TrackConfig

from ..track_world import picture, write_sequence


def track(root: Path, out: Path, **settings: object) -> None:
    given = {"yardstick": "start-box", "dataset": "tir_sequences", "root": root, "out": out, "workers": 1}
    run(TrackConfig.model_validate(given | settings))


def test_frames_outside_of_the_range_are_counted_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "data"
    for name in ("bird", "car", "dog"):
        write_sequence(root, name, deep=True)
    for name, frames in (("car", (3, 4)), ("dog", (5,))):
        for frame in frames:
            cv2.imwrite(str(root / name / f"img/{frame}.png"), picture(frame, deep=True) // 4)
    # A closed shutter is flat, wherever it lies.
    cv2.imwrite(str(root / "bird/img/3.png"), picture(3, deep=True) * 0 + 20)
    track(root, tmp_path / "out")
    told = [record.getMessage() for record in caplog.records if "range of their sequence" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("warning: of 3 frames (car, dog) all values lie outside of the range")
    caplog.clear()
    track(root, tmp_path / "wide", tir_range=(0, 20000))
    assert "range of their sequence" not in caplog.text


def test_frames_of_8_bits_have_no_range(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_sequence(tmp_path / "data", "dog")
    cv2.imwrite(str(tmp_path / "data/dog/img/3.png"), picture(3) * 0)
    track(tmp_path / "data", tmp_path / "out")
    assert "range of their sequence" not in caplog.text
