"""A tracker's result files: text or MATLAB, in the layouts of pytracking, VOT, GOT-10k and the benchmarks' toolkits."""

from __future__ import annotations

import glob
from pathlib import Path

import numpy as np

from pipeline.errors import DataError
from trainer.evaluate.mat_file import load_mat
from trainer.sequences.box_file import BoxFile, read_tracked
from trainer.sequences.rows import Boxes

_LAYOUTS = (
    "{sequence}.txt",
    "{sequence}/{sequence}_001.txt",
    "{sequence}/{sequence}.txt",
    "{sequence}_{tracker}.txt",
    "{sequence}_{tracker}.mat",
    "{sequence}.mat",
)
"""cmd-track, pytracking; the first run of VOT and GOT-10k; a folder a sequence; OTB's text; the toolkits' structs."""


def find_result(folder: Path, tracker: str, sequence: str) -> Path | None:
    """The file that holds a tracker's boxes of a sequence, in the first of the known layouts that has one.

    Raises:
        DataError: structs of several trackers lie there and none is of that name.
    """
    for layout in _LAYOUTS:
        path = folder / layout.format(sequence=sequence, tracker=tracker)
        if path.is_file():
            return path
    files = sorted(folder.glob(f"{glob.escape(sequence)}_*.mat"))
    if len(files) > 1:
        names = ", ".join(path.stem.removeprefix(f"{sequence}_") for path in files[:5])
        raise DataError(f"{folder} holds results of several trackers ({names}): call {tracker!r} as its files do")
    return files[0] if files else None


def strangers(folder: Path, known: frozenset[str]) -> list[str]:
    """Names of result files and folders that belong to no known sequence; timings are passed over."""
    stems = sorted(path.stem if path.is_file() else path.name for path in folder.iterdir() if _is_result(path))
    return [stem for stem in stems if stem not in known and stem.rpartition("_")[0] not in known]


def _is_result(path: Path) -> bool:
    return not path.stem.endswith("_time") and (
        path.suffix in (".txt", ".mat") or (path.is_dir() and any(path.glob("*.txt")))
    )


def read_result(path: Path) -> BoxFile:
    """Boxes (n, 4), x, y, w, h in pixels, as the file has them.

    Raises:
        DataError: unreadable or not of four columns; the message names the file.
    """
    return BoxFile(_read_mat(path)) if path.suffix == ".mat" else read_tracked(path)


def _read_mat(path: Path) -> Boxes:
    """``results{1}.res`` of type ``rect`` (LSOTB-TIR and PTB-TIR toolkits' raw results)."""
    try:
        run = load_mat(path)["results"].flat[0]
        run = run.flat[0] if isinstance(run, np.ndarray) else run
        kind = str(run["type"].flat[0]) if "type" in run.dtype.names else "rect"
        boxes = np.asarray(run["res"], dtype=np.float64)
    except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
        raise DataError(f"{path}: no results{{1}}.res in it: save it as the toolkit does, or as text") from error
    if kind != "rect" or boxes.ndim != 2 or boxes.shape[1] != 4:
        raise DataError(f"{path}: results of type {kind!r}, shape {boxes.shape}: only rect, n x 4, can be read")
    return boxes
