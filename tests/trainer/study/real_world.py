"""A user's data in miniature: thermal sequences of a square that moves before scenes of its own, and aligned pairs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.records import AlignedPair, write_rows
from trainer.study.settings import StudyConfig

SIZE = (96, 80)


def scene(seed: int) -> NDArray[np.uint8]:
    """A thermal picture of a place."""
    return (
        np.random.default_rng(seed)
        .integers(20, 160, (SIZE[1] // 4, SIZE[0] // 4))
        .astype(np.uint8)
        .repeat(4, 0)
        .repeat(4, 1)
    )


def frame(seed: int, at: int) -> NDArray[np.uint8]:
    """That place with a bright square that moves to the right."""
    picture = scene(seed)
    picture[20:36, 10 + 2 * at : 30 + 2 * at] = 230
    return picture


def write_sequence(root: Path, name: str, seed: int, frames: int = 4, suffix: str = ".png") -> None:
    """A sequence with truth, in the layout that trackers read."""
    (root / name / "img").mkdir(parents=True)
    for at in range(frames):
        cv2.imwrite(str(root / name / f"img/{at + 1:04d}{suffix}"), frame(seed, at))
    truth = "".join(f"{10 + 2 * at},20,20,16\n" for at in range(frames))
    (root / name / "groundtruth_rect.txt").write_text(truth)


def write_pairs(folder: Path, seeds: Sequence[int], frames: int = 3) -> Path:
    """Aligned pairs, a sequence of each place, as ``cmd-prep align`` leaves them."""
    rows = []
    for number, seed in enumerate(seeds):
        for at in range(frames):
            paths = {side: f"set00/V{number:03d}/{side}/I{at:05d}.jpg" for side in ("visible", "lwir")}
            for path in paths.values():
                (folder / "data" / path).parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / "data" / path), frame(seed, at + 9))
            rows.append(AlignedPair(
                pair_id=f"set00/V{number:03d}/I{at:05d}", sequence=f"set00/V{number:03d}", frame=f"I{at:05d}",
                rgb=paths["visible"], tir=paths["lwir"], rgb_size=SIZE, tir_size=SIZE,
                homography=(1, 0, 0, 0, 1, 0, 0, 0, 1), model="identity", score=0.9, scores={}))  # fmt: skip
    aligned = folder / "aligned"
    aligned.mkdir()
    write_rows(aligned / "aligned.jsonl", rows)
    (aligned / "align.json").write_text(json.dumps({"root": str(folder / "data"), "manifest": "kaist"}))
    return aligned


@dataclass(frozen=True)
class User:
    """Where the user's data lie."""

    folder: Path

    @property
    def tests(self) -> Path:
        """Of the sequences."""
        return self.folder / "tests"

    def config(self, **changed: Any) -> StudyConfig:
        """A study of them."""
        given: dict[str, Any] = {"pairs": (self.folder / "pairs/aligned",), "test": self.tests}
        given |= {"detections": self.folder / "boxes.jsonl", "tracker": "nanotrack_v2", "select": "s0"}
        return StudyConfig(out=self.folder / "study", init=self.folder / "init.pth", **(given | changed))


@pytest.fixture
def user(tmp_path: Path) -> User:
    """Seven sequences of seven places, and pairs of two others."""
    for number in range(7):
        write_sequence(tmp_path / "tests", f"s{number}", number)
    write_pairs(tmp_path / "pairs", (100, 101))
    (tmp_path / "boxes.jsonl").write_text(json.dumps({"pair_id": "set00/V000/I00000", "boxes": [[10, 20, 20, 16]]}))
    (tmp_path / "init.pth").write_bytes(b"weights")
    return User(tmp_path)
