"""Published curves: which file is which, in what order, and files that do not belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from pipeline.errors import DataError
from trainer.evaluate.published import read_published
from trainer.sequences.benchmark import Benchmark, load_benchmark

from ..conftest import SEQUENCES, World

ORDER = tuple(reversed(SEQUENCES))
FILES = {
    "success": "ave_2alg_overlap_OPE",
    "precision": "ave_2alg_error_OPE",
    "normalized_precision": "ave_2alg_norm_error_OPE",
}


def cells(names: tuple[str, ...]) -> NDArray[np.object_]:
    return np.array([[name] for name in names], dtype=object)


def publish(folder: Path, metric: str, points: int, names: tuple[str, ...] = ("KCF", "ECO"), top: float = 1.0) -> None:
    """Tracker t, sequence s (in ``ORDER``): a flat curve of height (t + s / 10) * top / 2."""
    heights = np.add.outer(np.arange(len(names)), np.arange(len(ORDER)) / 10) * top / 2
    plot = np.repeat(heights[..., None], points, axis=2)
    savemat(folder / f"{FILES[metric]}.mat", {"aveSuccessRatePlot": plot, "nameTrkAll": cells(names)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "perfMat"
    path.mkdir()
    for metric, points in (("success", 21), ("precision", 51), ("normalized_precision", 51)):
        publish(path, metric, points, top=0.1 if metric == "success" else 0.5)
    savemat(path / "order.mat", {"seq_names": cells(ORDER).T})
    return path


@pytest.fixture
def benchmark_(world: World) -> Benchmark:
    return load_benchmark(world.dataset, None)


def test_columns_follow_the_names_not_the_place(folder: Path, benchmark_: Benchmark) -> None:
    found = read_published(folder, benchmark_)
    assert list(found) == ["KCF", "ECO"]
    assert found["ECO"]["success"][:, 0] == pytest.approx([0.06, 0.055, 0.05])
    assert found["ECO"]["normalized_precision"].shape == (3, 51)
    assert found["KCF"]["precision"][0, 0] == pytest.approx(0.05)


def test_without_names_the_benchmark_s_own_order_holds(folder: Path, benchmark_: Benchmark) -> None:
    (folder / "order.mat").unlink()
    assert read_published(folder, benchmark_)["ECO"]["success"][:, 0] == pytest.approx([0.05, 0.055, 0.06])


def test_files_that_do_not_belong_together_are_refused(folder: Path, benchmark_: Benchmark, world: World) -> None:
    with pytest.raises(DataError, match="no such folder"):
        read_published(folder / "x", benchmark_)
    publish(folder, "precision", 51, names=("KCF", "ECO", "MIL"), top=0.4)
    with pytest.raises(DataError, match="MIL not in every file"):
        read_published(folder, benchmark_)
    publish(folder, "precision", 50)
    with pytest.raises(DataError, match=r"shape \(2, 3, 50\), expected 2 trackers x 3 sequences x 51 thresholds"):
        read_published(folder, benchmark_)
    publish(folder, "precision", 51, top=10)
    with pytest.raises(DataError, match="not within 0 to 1"):
        read_published(folder, benchmark_)
    publish(folder, "precision", 51, names=("KCF", "KCF"))
    with pytest.raises(DataError, match="stands twice"):
        read_published(folder, benchmark_)
    (folder / f"{FILES['precision']}.mat").unlink()
    with pytest.raises(DataError, match="0 files of precision curves"):
        read_published(folder, benchmark_)
    savemat(folder / "order.mat", {"seq_names": cells(("a", "b", "c"))})
    with pytest.raises(DataError, match="no curves of car_V_001, dog_D_001, face_S_001"):
        read_published(folder, benchmark_)
