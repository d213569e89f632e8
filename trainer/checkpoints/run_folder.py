"""The folder of one run: settings, metrics, resumable state, and the model."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from pipeline.errors import DataError, UsageError
from pipeline.files.json_text import write_json
from pipeline.files.writing import write_text, written
from pipeline.runtime.output import locked
from trainer.checkpoints.unpickle import read_pickle
from trainer.checkpoints.weights import save_weights
from trainer.recipes.settings import differing

MODEL, META, STATE, METRICS, RUN = "model.safetensors", "model.json", "state.pt", "metrics.jsonl", "run.json"
START, VALIDATION = "start.safetensors", "held_out.json"
_MADE = (MODEL, START, STATE, METRICS, "*.json", "*.png", "*.html", "*.pth.tar")
STATE_KEYS = frozenset({"epoch", "identity", "optimizer", "head", "buffers", "frozen"})
"""Epochs done, the settings that decide the result, masters and moments, psi (or None), batch-norm statistics where
they are trained, and a hash of what is not trained."""


class RunFolder:
    """Files of one run; every file but the metrics is replaced in one atomic step.

    Args:
        path: made when missing.
        resume: go on from a state that is there; without it an existing one is refused.

    Raises:
        UsageError: the folder cannot be written, or holds a run and ``resume`` is off.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot write to {path}: {error.strerror}: choose another --out") from error
        if not resume and ((path / STATE).exists() or (path / MODEL).exists()):
            raise UsageError(f"{path} already holds a run: add --resume to go on with it, or choose another --out")

    def held(self) -> AbstractContextManager[None]:
        """Keep other runs out while this one writes, and sweep up what killed ones left half written.

        Raises:
            CmdTirError: another run holds the folder now.
        """
        return locked(self.path, _MADE)

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write one JSON file; what was measured need not be finite."""
        write_json(self.path / name, content, allow_nan=True)

    def save_state(self, state: dict[str, Any]) -> None:
        """Write what a resumed run needs."""
        with written(self.path / STATE, durable=True) as part:
            torch.save(state, part)

    def load_state(self, identity: dict[str, Any]) -> dict[str, Any] | None:
        """Read it back; None where there is none. Only tensors and plain values are accepted.

        Args:
            identity: the settings that decide the result, as the run has them now.

        Raises:
            DataError: the file is damaged, or holds anything else.
            UsageError: the run began with other settings; the message names them.
        """
        path = self.path / STATE
        if not path.is_file():
            return None
        if _damaged(path):
            raise DataError(f"{path}: damaged, cannot resume: start again in another --out")
        state = read_pickle(path)
        if not isinstance(state, dict) or state.keys() != STATE_KEYS:
            raise DataError(f"{path}: not the state of a run, cannot resume: start again in another --out")
        if differ := differing(identity, state["identity"]):
            raise UsageError(
                f"{self.path}: began with other {', '.join(differ)}: resume with the same, or take another --out"
            )
        return state

    def save_model(self, weights: dict[str, torch.Tensor], meta: dict[str, Any]) -> None:
        """Write the student's weights and what they are."""
        save_weights(weights, self.path / MODEL)
        self.write_json(META, meta)

    def save_start(self, weights: dict[str, torch.Tensor]) -> None:
        """Write the weights that the run begins with, for a teacher that stays and for telling what has changed."""
        save_weights(weights, self.path / START)

    def keep_metrics(self, epochs: int) -> None:
        """Drop metrics of epochs that the resumed state does not hold: all of them where nothing is resumed."""
        path = self.path / METRICS
        if not epochs:
            path.unlink(missing_ok=True)
        elif path.is_file():
            rows = [line for line in path.read_text(encoding="utf-8").splitlines() if _epoch(line) < epochs]
            write_text(path, "".join(f"{row}\n" for row in rows))

    def log(self, rows: Iterable[dict[str, Any]]) -> None:
        """Append rows to ``metrics.jsonl``."""
        with (self.path / METRICS).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def _damaged(path: Path) -> bool:
    """Whether a file is no zip archive, or a member of it differs from its checksum, which torch does not look at."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is not None
    except zipfile.BadZipFile:
        return True


def _epoch(line: str) -> float:
    """The epoch of a metrics row; a line that a kill cut short belongs to none that is kept."""
    try:
        return float(json.loads(line)["epoch"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
