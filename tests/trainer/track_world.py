"""What the tests of cmd-track share: short sequences of a bright square, a tracker that moves right, the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from numpy.typing import ArrayLike, NDArray
from safetensors.torch import save_file

from trainer.commands.track import main

BOX = np.array([10.0, 12.0, 8.0, 6.0])
STEP = np.array([1.0, 0.0, 0.0, 0.0])
SIZE = (64, 49)
"""Width and height; an odd one, for the video."""


def picture(at: int, deep: bool = False) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """A grey frame with a bright square that has moved ``at`` pixels to the right."""
    image = np.full(SIZE[::-1], 40, np.uint8)
    x, y, w, h = BOX.astype(int)
    x += at
    image[y : y + h, x : x + w] = 220
    return (image.astype(np.uint16) * 20 + 7000) if deep else image


def write_sequence(root: Path, name: str, frames: int = 5, deep: bool = False) -> Path:
    """One sequence in LSOTB-TIR's layout, its frames numbered without leading zeros."""
    folder = root / name / "img"
    folder.mkdir(parents=True)
    for at in range(frames):
        cv2.imwrite(str(folder / f"{at + 1}.png"), picture(at, deep))
    truth = BOX + np.arange(frames)[:, None] * STEP
    np.savetxt(root / name / "groundtruth_rect.txt", truth, fmt="%g", delimiter=",")
    return root / name


@dataclass
class Seen:
    """What the stand-in tracker was made with and shown."""

    made: list[dict[str, Any]] = field(default_factory=list)
    frames: list[NDArray[Any]] = field(default_factory=list)


@dataclass(frozen=True)
class World:
    """A folder of sequences with the weights, and what the tracker saw."""

    folder: Path
    seen: Seen

    @property
    def root(self) -> Path:
        """Of the sequences."""
        return self.folder / "data"

    @property
    def out(self) -> Path:
        """Of the results."""
        return self.folder / "out"

    @property
    def weights(self) -> Path:
        """A weights file; what is in it does not matter to the stand-in."""
        return self.folder / "weights.safetensors"

    def track(self, *words: object) -> Result:
        """``cmd-track`` in this process with ``words`` added; an option given twice counts as given last."""
        given = ["--weights", self.weights, "--dataset", "tir_sequences", "--root", self.root, "--out", self.out]
        given += [] if any(str(word) == "--weights" for word in words) else ["--tracker", "dimp18"]
        return CliRunner().invoke(main, [str(word) for word in (*given, "--workers", 1, "--device", "cpu", *words)])

    def boxes(self, name: str) -> NDArray[np.float64]:
        """Results (T, 4) of a sequence."""
        return np.loadtxt(self.out / f"{name}.txt", delimiter=",")

    def run(self, **meta: object) -> Path:
        """A run of cmd-train with that ``model.json``."""
        folder = self.folder / "run"
        folder.mkdir(exist_ok=True)
        save_file({"w": torch.ones(1)}, folder / "model.safetensors")
        (folder / "model.json").write_text(json.dumps({"recipe": "c1", "tracker": "dimp18"} | meta))
        return folder


def stand_in(seen: Seen) -> Callable[..., object]:
    """A tracker class whose box moves a pixel to the right each frame, and fails on frames of another size."""

    class MovesRight:
        flag = "normal"
        blank = 0

        def __init__(self, name: str, weights: Path, device: str, params: dict[str, Any], **options: Any) -> None:
            seen.made.append({"name": name, "weights": weights, "device": device, "params": params} | options)

        def start(self, frame: NDArray[Any], box: ArrayLike) -> None:
            self.box = np.array(box, float)
            seen.frames.append(frame)

        def update(self, frame: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
            if frame.shape != seen.frames[-1].shape:
                raise ValueError(f"frame is {frame.shape}: a sequence has one size")
            self.box = self.box + STEP
            seen.frames.append(frame)
            return self.box, 0.5

    return MovesRight


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Sequences ``car`` (5 frames) and ``dog`` (12), and the stand-in in the tracker's place."""
    made = World(tmp_path, Seen())
    monkeypatch.setattr("trainer.track.runner.Tracker", stand_in(made.seen))
    # The process is the tests': other tests count on its threads.
    monkeypatch.setattr("trainer.track.runner.torch.set_num_threads", lambda count: None)
    write_sequence(made.root, "car", 5)
    write_sequence(made.root, "dog", 12)
    save_file({"w": torch.zeros(1)}, made.weights)
    return made
