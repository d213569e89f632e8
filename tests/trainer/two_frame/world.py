"""What the tests of the two-frame test share: sequences of a bright target that walks and grows, and checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from safetensors.torch import save_file

from trainer.commands.train import main
from trainer.net import build_network
from trainer.two_frame import TwoFrameConfig

SIZE = (160, 120)
"""Width and height."""
MARK = 250
WINDOW = 96
"""The smallest search window that there is."""


def boxes(name: str, frames: int) -> NDArray[np.float64]:
    """Truth (frames, 4) of a target that walks, another way in each sequence."""
    rng = np.random.default_rng(list(name.encode()))
    start, step = rng.integers(20, 60, 2), rng.uniform(-0.5, 1.5, 2)
    sides = rng.integers(14, 24, 2) + np.arange(frames)[:, None] * 0.2
    return np.round(np.concatenate([start + np.arange(frames)[:, None] * step, sides], axis=1))


def frame_of(box: NDArray[np.float64], seed: int = 0) -> NDArray[np.uint8]:
    """A dark textured picture with a bright target."""
    coarse = np.random.default_rng(seed).integers(20, 90, (15, 20), dtype=np.uint8)
    image = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_LINEAR)
    x, y, w, h = box.astype(int)
    image[y : y + h, x : x + w] = MARK
    return np.asarray(image, np.uint8)


def write_sequence(root: Path, name: str, frames: int = 40, *, colour: bool = False, deep: bool = False) -> Path:
    """One sequence in LSOTB-TIR's layout."""
    folder = root / name / "img"
    folder.mkdir(parents=True)
    truth = boxes(name, frames)
    for at, box in enumerate(truth):
        image: NDArray[Any] = frame_of(box, at)
        if deep:
            image = image.astype(np.uint16) * 20 + 7000
        if colour:
            image = np.stack([image // 3, image // 2, image], axis=2)
        cv2.imwrite(str(folder / f"{at + 1:04d}.png"), image)
    np.savetxt(root / name / "groundtruth_rect.txt", truth, fmt="%g", delimiter=",")
    return root / name


def write_sequences(root: Path, *names: str, frames: int = 40) -> Path:
    """Several."""
    for name in names:
        write_sequence(root, name, frames)
    return root


def write_run(folder: Path, tracker: str = "dimp18", seed: int = 0, heads: int | None = None, **meta: object) -> Path:
    """A run with random weights; ``heads`` gives another seed to all but the backbone."""
    torch.manual_seed(seed)
    net = build_network(tracker)
    state = dict(net.state_dict())
    if heads is not None:
        torch.manual_seed(heads)
        other = build_network(tracker).state_dict()
        state |= {name: value for name, value in other.items() if not name.startswith(net.trunk_name)}
    folder.mkdir(parents=True)
    save_file(state, folder / "model.safetensors")
    (folder / "model.json").write_text(json.dumps({"recipe": "c1", "tracker": tracker} | meta))
    return folder


def config(checkpoint: Path, sequences: Path, out: Path, **changes: Any) -> TwoFrameConfig:
    """A test of one checkpoint on two windows of each sequence."""
    named = ((None, checkpoint),)
    given: dict[str, Any] = {"checkpoints": named, "sequences": sequences, "out": out, "windows": 4, "device": "cpu"}
    return TwoFrameConfig.model_validate(given | changes)


def two_frame(*words: object) -> Result:
    """``cmd-train two-frame`` in this process."""
    return CliRunner().invoke(main, ["two-frame", *map(str, words), "--device", "cpu"])


def found(path: Path) -> dict[str, Any]:
    """A file of figures."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def values(content: dict[str, Any], answer: str, measure: str) -> dict[str, float]:
    """Figures by sequence."""
    rows = [row for row in content["rows"] if (row["answer"], row["measure"]) == (answer, measure)]
    return {row["sequence"]: row["value"] for row in rows}
