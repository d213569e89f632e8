"""What a weights file says of itself, and which file an option means."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import DataError, UsageError
from pipeline.files.hashing import file_sha256
from pipeline.files.json_text import read_json
from pipeline.files.nearby import nearby
from pipeline.next_command import made_again
from trainer.checkpoints.nano_onnx.files import BACKBONE, HEAD, is_onnx, onnx_pair

MODEL, META = "model.safetensors", "model.json"
"""A run's weights, and what they are."""
LEARNT = "tir_ranges"
"""Key of ``model.json``: how the TIR of the shards that trained the model became 0 to 255, a list without repeats of
``"8-bit"`` (as stored), ``"sequence"`` (16 bits, a range found in each sequence) and [low, high]; ``"visible"`` is
of a run that was fed no TIR. Empty: not known."""
VISIBLE = "visible"
"""Stands in :data:`LEARNT` for visible pictures."""
WINDOW = "window"
"""Key of ``model.json``: side of the search window, pixels, that the model was trained with; without it, or None, the
base tracker's own."""


def model_in(path: Path) -> Path:
    """The file that a folder holds a model in, which need not be there; a file stands for itself."""
    if not path.is_dir():
        return path
    held = (path / name for name in (MODEL, HEAD, BACKBONE))
    return next((file for file in held if file.is_file()), path / MODEL)


def weights_sha256(file: Path) -> str:
    """SHA-256 of a weights file; of two in ONNX, of both.

    Raises:
        UsageError: the other one is not there.
    """
    if not is_onnx(file):
        return file_sha256(file)
    each = "".join(map(file_sha256, onnx_pair(file)))
    return hashlib.sha256(each.encode()).hexdigest()


NEEDED = "pass a checkpoint (README says where released ones are) or a run"


def weights_file(path: Path, option: str = "--init") -> Path:
    """The weights file that an option means: a file, the model of a run's folder, or one of two in ONNX in one.

    Raises:
        UsageError: there is none.
    """
    file = model_in(path)
    if not file.is_file():
        unfinished = made_again(path)
        meant = nearby(path, lambda near: (near / MODEL).is_file() or (near.is_file() and near.suffix == path.suffix))
        cure = f"finish the run: {unfinished}" if unfinished else f"{meant}{NEEDED}"
        raise UsageError(f"{option} {file}: no such file: {cure}")
    return file


def hashes_of(weights: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of weights files, or of the models of runs, by how they were named.

    Raises:
        UsageError: one is not there.
    """
    return {str(path): file_sha256(weights_file(path)) for path in weights}


def described(file: Path) -> dict[str, Any]:
    """What a run's model says it is (``tracker``, ``recipe``, :data:`LEARNT`, :data:`WINDOW`); empty for other files.

    Raises:
        DataError: the description is damaged.
    """
    meta = file.with_name(META)
    if file.name != MODEL or not meta.is_file():
        return {}
    try:
        content: dict[str, Any] = read_json(meta)
        told = {key: str(content[key]) for key in ("tracker", "recipe")}
        window = content.get(WINDOW)
        return told | {LEARNT: list(content.get(LEARNT) or []), WINDOW: window if window is None else int(window)}
    except (DataError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{meta}: not the description of a model: fetch the run again") from error


def learnt_ranges(files: Sequence[Path]) -> list[Any]:
    """The thermal ranges that weights have learnt from, without repeats (:data:`LEARNT`)."""
    every = [policy for file in files for policy in described(file).get(LEARNT, [])]
    return [policy for place, policy in enumerate(every) if policy not in every[:place]]


def window_of(files: Sequence[Path]) -> int | None:
    """The search window that weights have learnt in, pixels (:data:`WINDOW`); None is the base tracker's own.

    Raises:
        UsageError: they are of different ones.
    """
    told = {file: described(file) for file in files}
    windows = {str(file): each[WINDOW] for file, each in told.items() if each}
    if len(set(windows.values())) > 1:
        said = ", ".join(f"{file}: {f'{px} px' if px else 'the own one'}" for file, px in windows.items())
        raise UsageError(f"learnt in search windows of different sizes ({said}): put together runs of one --window")
    return next(iter(windows.values()), None)


def tracker_of(files: Sequence[Path], named: str | None) -> str:
    """The base tracker of weights: what was named, or what the runs say.

    Raises:
        UsageError: neither says it, or they contradict one another.
    """
    said = {tracker for tracker in (named, *(described(file).get("tracker") for file in files)) if tracker}
    if len(said) != 1:
        names = ", ".join(map(str, files))
        of_files = said - {named}
        if named and len(of_files) == 1:
            raise UsageError(f"{names} is of {of_files.pop()}, you asked for {named}: leave --tracker out")
        told = f"they are of {' and '.join(sorted(said))}" if said else "a plain file does not say its tracker"
        raise UsageError(f"{names}: {told}: give --tracker, and weights of one tracker")
    return said.pop()
