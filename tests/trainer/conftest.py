"""A benchmark of three short sequences with trackers that are off by known amounts, and the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from pipeline.pages.html import figure
from trainer.commands.evaluate import main
from trainer.sequences.rows import Boxes

from .train_world import small_windows

SEQUENCES = {"car_V_001": 30, "dog_D_001": 40, "face_S_001": 50}
FLAGS = {"car_V_001": (1, 0), "dog_D_001": (1, 1), "face_S_001": (0, 0)}
Rng = np.random.Generator


def walk(rng: Rng, frames: int) -> Boxes:
    """Ground truth (frames, 4) of a target that wanders, x, y, w, h all above 0."""
    centre = 100 + np.cumsum(rng.normal(0, 2, (frames, 2)), axis=0)
    return np.round(np.c_[np.maximum(centre, 1), rng.uniform(20, 40, (frames, 2))])


def write_boxes(path: Path, boxes: NDArray[np.float64], separator: str = ",") -> None:
    """One row a frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, boxes, fmt="%.4f", delimiter=separator)


@dataclass(frozen=True)
class World:
    """Folders of a small benchmark; ``truth`` by sequence."""

    root: Path
    truth: dict[str, Boxes]

    @property
    def dataset(self) -> str:
        """Its manifest."""
        return str(self.root / "tiny.yaml")

    def folder(self, name: str) -> Path:
        """Results of one tracker, the truth, or the attributes."""
        return self.root / name

    def add(self, name: str, change: Callable[[Boxes], Boxes]) -> Path:
        """Write results that are the truth after ``change``."""
        for sequence, boxes in self.truth.items():
            write_boxes(self.folder(name) / f"{sequence}.txt", change(boxes.copy()))
        return self.folder(name)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Truth, attributes, and the trackers ``perfect``, ``near`` (3 px to the right) and ``lost`` (from half on)."""
    rng = np.random.default_rng(7)
    made = World(tmp_path, {name: walk(rng, frames) for name, frames in SEQUENCES.items()})
    listed = ", ".join(f"{name}: {frames}" for name, frames in SEQUENCES.items())
    lines = ["extends: lsotb_tir", "name: tiny", "title: Tiny", f"sequences: {{{listed}}}"]
    (tmp_path / "tiny.yaml").write_text("\n".join([*lines, "attributes: [occlusion, fast motion]", ""]))
    made.add("truth", lambda boxes: boxes)
    (tmp_path / "attributes").mkdir()
    for name, flags in FLAGS.items():
        (tmp_path / "attributes" / f"{name}.txt").write_text(",".join(map(str, flags)) + "\n")
    made.add("perfect", lambda boxes: boxes)
    made.add("near", lambda boxes: boxes + np.array([3, 0, 0, 0]))
    made.add("lost", lambda boxes: np.r_[boxes[: len(boxes) // 2], boxes[len(boxes) // 2 :] + np.array([900, 0, 0, 0])])
    return made


@pytest.fixture(autouse=True)
def _blank_curves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plots of curves are blank where no test looks at them: drawn, they take longer than the whole evaluation."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr("trainer.evaluate.stage.plots.draw_curves", lambda *what: figure(1, 1))


Eval = Callable[..., Result]


@pytest.fixture
def evaluate(world: World) -> Eval:
    """``evaluate("near", "lost", ...)`` runs cmd-eval on trackers of the world; words with a dash are options."""

    def run(*words: object) -> Result:
        given = [str(word) for word in words]
        split = next((i for i, word in enumerate(given) if word.startswith("-")), len(given))
        named = [part for name in given[:split] for part in ("--results", f"{name}={world.folder(name)}")]
        fixed = [
            "--dataset",
            world.dataset,
            "--annotations",
            str(world.folder("truth")),
            "--out",
            str(world.root / "out"),
        ]
        return CliRunner().invoke(main, [*fixed, *named, *given[split:]])

    return run


@pytest.fixture
def small_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and batches of a size that a step takes no time for, blank curves, and figures without a plot."""
    small_windows(monkeypatch)
    monkeypatch.setattr("trainer.distillation.fit_state_head.BATCH", 2)
    for page in ("train.record", "pages.run_page"):
        monkeypatch.setattr(f"trainer.{page}.curves", lambda *what: figure(1, 1))
    monkeypatch.setattr("trainer.pages.held_out_section.figure_plots", lambda measured: [])
