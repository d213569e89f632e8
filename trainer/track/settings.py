"""What the results of ``cmd-track`` depend on, where it runs, and tracker parameters as people type them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipeline.config import OnExisting, Settings, ValueRange, refuse_idle
from pipeline.errors import UsageError
from trainer.track.formats import FormatName
from trainer.track.videos import VideoFormat

RESULTS = 1
"""Raised by a change that alters what equal settings give, so that no folder mixes two; 1 is not written."""
BEFORE: dict[str, object] = {"format": "plain", "max_frames": None, "precision": "float32"}
"""Settings that came after 0.1 -> what was done before they came."""


class TrackSettings(Settings):
    """What the results depend on, beside weights and sequences, whose content counts.

    Attributes:
        yardstick: what tracks without weights, in place of a tracker.
        tracker: the base tracker; None takes what the run says.
        params: ``name=value`` in place of the tracker's own parameters.
        tir_range: 16-bit values that become 0 and 255; None takes the manifest's, or percentiles of the first frame.
        seed: of the tracker's own draws.
        precision: of the maps of features of DiMP and ATOM; scores and boxes are computed in float32.
        format: of the files of boxes and times.
        max_frames: track this many frames of each sequence, from where the tracker is started; None: all.
    """

    yardstick: str | None = None
    tracker: str | None = None
    params: tuple[str, ...] = ()
    tir_range: ValueRange | None = None
    seed: int = Field(default=0, ge=0, lt=2**32)
    precision: Literal["float32", "bf16"] = "float32"
    format: FormatName = "plain"
    max_frames: int | None = Field(default=None, ge=1)


class TrackWhereabouts(Settings):
    """Where weights, sequences and results are, and how the work runs.

    Attributes:
        weights: a weights file, or a run of ``cmd-train``; needed unless there is a yardstick.
        dataset: manifest that says how the sequences lie on disk.
        root: folder of the sequences.
        out: folder for the results.
        sequences: names to track; none: all.
        workers: processes; None is one a core, and one in all on a GPU.
        threads: of torch in each process; boxes may differ in their last bits with it.
        device: torch device, or ``auto``.
        save_frames: also write every frame with the boxes drawn on it.
        save_video: also write each sequence as a video of this kind, likewise.
        on_existing: what to do with results that an earlier run made.
        modality: what the sequences are meant to show; ``tir`` refuses those in colour, ``rgb`` lets them pass.
    """

    weights: Path | None = None
    dataset: str
    root: Path
    out: Path
    sequences: tuple[str, ...] = ()
    workers: int | None = Field(default=None, ge=1)
    threads: int = Field(default=1, ge=1)
    device: str = "auto"
    save_frames: bool = False
    save_video: VideoFormat | None = None
    on_existing: OnExisting = "resume"
    modality: Literal["tir", "rgb"] = "tir"


class TrackConfig(TrackSettings, TrackWhereabouts):
    """All that a run of ``cmd-track`` takes: its settings and its whereabouts."""

    def refuse_idle(self, given: Collection[str]) -> None:
        """See to it that a yardstick is given nothing that is for a tracker with weights.

        Args:
            given: names of the settings that were typed, or that differ from their defaults.

        Raises:
            UsageError: the first that would do nothing.
        """
        if self.yardstick:
            options = ("weights", "tracker", "device", "threads", "set", "seed", "precision")
            use = f"a tracker with weights, not for --yardstick {self.yardstick}"
            refuse_idle({"set" if name == "params" else name for name in given}, dict.fromkeys(options, use))


def parse_params(tracker: str, words: Sequence[str], window: int | None = None) -> dict[str, Any]:
    """Tracker parameters from ``name=value``; a value is JSON (``true``, ``1e-3``, ``[1, 1.05]``) or a plain word.

    Args:
        tracker: the base tracker.
        words: as typed.
        window: side of the search window that the weights learnt in, for what is not typed; None is the tracker's own.

    Raises:
        UsageError: not ``name=value``, no parameter of that tracker, or a value of another type.
    """
    from trainer.trackers.parameters.defaults import resolve, window_params

    params: dict[str, Any] = window_params(tracker, window)
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UsageError(f"--set {word}: expected param=value, e.g. --set iounet_k=1")
        try:
            params[name] = json.loads(text)
        except json.JSONDecodeError:
            params[name] = text
    try:
        resolve(tracker, params)
    except ValueError as error:
        raise UsageError(f"--set: {error}") from error
    return params
