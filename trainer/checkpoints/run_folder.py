"""The folder of one run: settings, metrics, resumable state, and the model."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from pipeline.config import OnExisting
from pipeline.errors import DataError, UsageError
from pipeline.files.json_text import read_json, write_json
from pipeline.files.writing import write_text, written
from pipeline.runtime.asked import anew, drop_settings
from pipeline.runtime.output import locked, made_in, refuse_existing, refuse_other
from trainer.checkpoints import model_file
from trainer.checkpoints.unpickle import read_pickle
from trainer.checkpoints.weights import save_weights
from trainer.recipes.settings import BEFORE

MODEL, META = model_file.MODEL, model_file.META
STATE, METRICS, RUN = "state.pt", "metrics.jsonl", "run.json"
START, VALIDATION, SPLIT = "start.safetensors", "held_out.json", "split.json"
REPORT, CURVES, TENSORBOARD = "report.html", "curves.png", "tb"
_MADE = (
    STATE,
    MODEL,
    META,
    START,
    METRICS,
    VALIDATION,
    SPLIT,
    RUN,
    REPORT,
    CURVES,
    f"{TENSORBOARD}/events.out.tfevents.*",
)
_SWEPT = (*_MADE, "*.json", "*.png", "*.html", "*.pth.tar", "*.pth", "*.onnx", "*.yaml")
"""Whose parts are swept up: pages and exports may be written into the folder too."""
STATE_KEYS = frozenset({"epoch", "identity", "optimizer", "head", "buffers", "frozen"})
"""Epochs done, the settings that decide the result, masters and moments, psi (or None), batch-norm statistics where
they are trained, and a hash of what is not trained."""
LATER_KEYS: dict[str, Any] = {"within": {}, "model": {}, "random": []}
"""What came after 0.1 -> what older states mean: steps done of an epoch, and sums of losses for the next metrics row;
within an epoch the whole model, which otherwise lies beside the state; torch's random numbers in each process."""
IDENTITY = "identity"
"""Key of ``run.json`` and ``state.pt``: what a run that goes on must share with the one that began."""


class RunFolder:
    """Files of one run; every file but the metrics is replaced in one atomic step.

    Args:
        path: of the folder; made when it is held.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def held(self) -> AbstractContextManager[None]:
        """Keep other runs out while this one writes, and sweep up what killed ones left half written.

        Raises:
            UsageError: the folder cannot be written.
            CmdTirError: another run holds the folder now.
        """
        return locked(self.path, _SWEPT)

    def existing(self) -> list[Path]:
        """What earlier runs made that lies here."""
        return [path for pattern in _MADE for path in sorted(self.path.glob(pattern)) if path.is_file()]

    def files(self) -> tuple[Path, ...]:
        """All that lies here of what a run makes."""
        return made_in(self.path, _MADE)

    def claim(self, on_existing: OnExisting) -> None:
        """Remove what an earlier run made, refuse it, or leave it to be gone on with.

        Raises:
            UsageError: there is something, and ``on_existing`` is ``fail``, or a model that no run made.
        """
        existing = self.existing()
        if (self.path / MODEL).exists() and not any((self.path / name).exists() for name in (META, RUN, STATE)):
            raise UsageError(f"{self.path} holds {MODEL} but no {META}, so no run made it: choose another --out")
        if existing and on_existing == "fail":
            refuse_existing(self.path, existing[0].name)
        if on_existing == "overwrite":
            drop_settings(self.path)
            for path in existing:
                path.unlink()

    def resume(self, identity: dict[str, Any]) -> dict[str, Any] | None:
        """The saved state to go on from; None where a run has yet to come so far.

        Args:
            identity: what decides the result, as the run has it now.

        Raises:
            DataError: the state is damaged, or holds anything but tensors and plain values.
            UsageError: the run here began with another identity, or it left a model without a state.
        """
        state = self.load_state()
        run = self.path / RUN
        began = state[IDENTITY] if state else read_json(run).get(IDENTITY) if run.is_file() else None
        if isinstance(began, dict):
            refuse_other(self.path, began, identity, BEFORE)
        if state is None and (self.path / MODEL).is_file():
            raise UsageError(f"{self.path} holds {MODEL} but no {STATE} to go on from: {anew()}")
        return state

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write one JSON file; what was measured need not be finite."""
        write_json(self.path / name, content, allow_nan=True)

    def save_state(self, state: dict[str, Any]) -> None:
        """Write what a resumed run needs."""
        with written(self.path / STATE, durable=True) as part:
            torch.save(_canonical(state), part)

    def load_state(self) -> dict[str, Any] | None:
        """Read it back; None where there is none. Only tensors and plain values are accepted.

        Raises:
            DataError: the file is damaged, or holds anything else.
        """
        path = self.path / STATE
        if not path.is_file():
            return None
        cure = f"restore it, or {anew()}"
        if _damaged(path):
            raise DataError(f"{path}: damaged, cannot resume: {cure}")
        state = read_pickle(path)
        if not isinstance(state, dict) or (LATER_KEYS | state).keys() != STATE_KEYS | LATER_KEYS.keys():
            raise DataError(f"{path}: not the state of a run, cannot resume: {cure}")
        return LATER_KEYS | state

    def save_model(self, weights: dict[str, torch.Tensor], meta: dict[str, Any]) -> None:
        """Write the student's weights and what they are."""
        save_weights(weights, self.path / MODEL)
        self.write_json(META, meta)

    def save_start(self, weights: dict[str, torch.Tensor]) -> None:
        """Write the weights that the run begins with, for a teacher that stays and for telling what has changed."""
        save_weights(weights, self.path / START)

    def drop_metrics(self) -> None:
        """Drop all metrics."""
        (self.path / METRICS).unlink(missing_ok=True)

    def keep_metrics(self, epochs: int, steps: int) -> None:
        """Drop metrics that a resumed state does not hold.

        Args:
            epochs: that are done; their rows are kept.
            steps: that are done of all epochs together; of the epoch that has begun, rows of these are kept.
        """
        path = self.path / METRICS
        if path.is_file():
            rows = [line for line in path.read_text(encoding="utf-8").splitlines() if _is_held(line, epochs, steps)]
            write_text(path, "".join(f"{row}\n" for row in rows))

    def log(self, rows: Iterable[dict[str, Any]]) -> None:
        """Append rows to ``metrics.jsonl``."""
        with (self.path / METRICS).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def _canonical(value: Any) -> Any:
    """Nested dicts and sequences made anew, with one object for equal strings.

    A pickle tells the same object twice from two equal ones, and so a run that was gone on with from one that was not.
    """
    if isinstance(value, Mapping):
        return {_canonical(key): _canonical(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_canonical, value))
    return sys.intern(value) if type(value) is str else value


def _damaged(path: Path) -> bool:
    """Whether a file is no zip archive, or a member of it differs from its checksum, which torch does not look at."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is not None
    except zipfile.BadZipFile:
        return True


def _is_held(line: str, epochs: int, steps: int) -> bool:
    """Whether a metrics row is of what is done; a line that a kill cut short is not."""
    try:
        row = json.loads(line)
        return bool(row["epoch"] < epochs or (row["epoch"] == epochs and row["step"] < steps))
    except (ValueError, KeyError, TypeError):
        return False
