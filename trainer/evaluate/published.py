"""The curves that the LSOTB-TIR toolkit publishes (``perfMat/*.mat``), read as trackers beside one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError
from trainer.evaluate.mat_file import load_mat
from trainer.evaluate.ope import THRESHOLDS
from trainer.sequences.benchmark import Benchmark

_PLOT, _NAMES, _SEQUENCES = "aveSuccessRatePlot", "nameTrkAll", "seq_names"
"""Variables of the toolkit: (trackers, sequences, thresholds), the trackers' names, the sequences' names."""


def read_published(folder: Path, benchmark: Benchmark) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Curves of every published tracker on the benchmark's sequences.

    The files' names say which curve they hold (``overlap``, ``error``, ``norm_error``); the order of the sequences is
    in a file with ``seq_names``, else it is the benchmark's own.

    Returns:
        For each tracker and metric, (N, thresholds) in the order of ``benchmark.sequences``.

    Raises:
        DataError: no curves there, one missing, of another size, or a sequence that they do not have; named.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder: correct --curves")
    contents = {path: load_mat(path) for path in sorted(folder.glob("*.mat"))}
    order = next((_strings(mat[_SEQUENCES]) for mat in contents.values() if _SEQUENCES in mat), None)
    columns = _columns(folder, order or list(benchmark.manifest.sequences), benchmark.sequences)
    width = len(order or benchmark.manifest.sequences)
    curves_of: dict[str, dict[str, NDArray[np.float64]]] = {}
    for metric in benchmark.metrics:
        paths = [path for path, mat in contents.items() if _PLOT in mat and _metric(path) == metric]
        if len(paths) != 1:
            count = len(paths)
            raise DataError(f"{folder} holds {count} files of {metric} curves, expected 1: see docs/evaluation.md")
        plot, names = _checked(paths[0], contents[paths[0]], width, len(THRESHOLDS[metric]))
        for name, values in zip(names, plot):
            curves_of.setdefault(name, {})[metric] = values[columns]
    if short := [name for name, curves in curves_of.items() if len(curves) != len(benchmark.metrics)]:
        raise DataError(f"{folder}: {', '.join(short)} not in every file: the curves belong to different runs")
    return curves_of


def _metric(path: Path) -> str:
    """Which curve a file holds, by the toolkit's naming (``..._norm_error_OPE.mat``)."""
    if "overlap" in path.stem:
        return "success"
    return "normalized_precision" if "norm_error" in path.stem else "precision"


def _strings(cells: NDArray[Any]) -> list[str]:
    return [str(cell.flat[0]) if isinstance(cell, np.ndarray) and cell.size else str(cell) for cell in cells.flat]


def _columns(folder: Path, order: Sequence[str], sequences: Sequence[str]) -> list[int]:
    place = {name: column for column, name in enumerate(order)}
    if missing := [name for name in sequences if name not in place]:
        raise DataError(f"{folder} has no curves of {', '.join(missing[:5])}: leave them out with --sequences")
    return [place[name] for name in sequences]


def _checked(path: Path, mat: dict[str, Any], sequences: int, thresholds: int) -> tuple[NDArray[np.float64], list[str]]:
    """Curves (trackers, sequences, thresholds) and names of one file.

    Raises:
        DataError: shapes that do not agree, or values outside 0 to 1.
    """
    names = _strings(np.asarray(mat.get(_NAMES, ())))
    plot = np.asarray(mat[_PLOT])
    if plot.shape != (len(names), sequences, thresholds) or plot.dtype.kind != "f":
        expected = f"{len(names)} trackers x {sequences} sequences x {thresholds} thresholds"
        raise DataError(f"{path}: curves of shape {plot.shape}, expected {expected}: another benchmark's?")
    if len(set(names)) != len(names) or not ((plot >= 0) & (plot <= 1)).all():
        raise DataError(f"{path}: a tracker stands twice, or a value is not within 0 to 1: damaged file?")
    return plot.astype(np.float64), names
