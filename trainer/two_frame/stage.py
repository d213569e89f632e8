"""``cmd-train two-frame``: find the sequences, cut the same windows for every checkpoint, write what each found."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from pipeline.runtime.device import resolve_device
from trainer.measure.answers import KEPT, MIDDLE, Answers
from trainer.measure.summary import STUDENT
from trainer.recipes.geometry import geometry_of
from trainer.recipes.settings import make_settings
from trainer.trackers.model import Model, range_warning
from trainer.two_frame.footage import read_shots
from trainer.two_frame.found import content_of, keeps, out_files, write_found
from trainer.two_frame.key import key_of
from trainer.two_frame.measure import Means, measure
from trainer.two_frame.models import Entrant, find_models, load_entrants
from trainer.two_frame.pictures import draw
from trainer.two_frame.sequences import find_windows
from trainer.two_frame.settings import TwoFrameConfig
from trainer.two_frame.windows import TwoFrames

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Measured:
    """What a call left.

    Attributes:
        files: a FOUND.json of each checkpoint, in the order given.
        tracker: the base tracker.
        windows: how many each was measured on.
        sequences: of how many sequences.
        decides: the figure that decides.
        figures: of each file, by answer: ``value``, ``low`` and ``high`` of that figure, mean over sequences.
    """

    files: tuple[Path, ...]
    tracker: str
    windows: int
    sequences: int
    decides: str
    figures: tuple[dict[str, dict[str, float | None]], ...]

    def rows(self) -> list[tuple[object, ...]]:
        """What the command prints."""
        return [
            ("tracker", self.tracker),
            ("windows", f"{self.windows:,} of {self.sequences:,} sequences"),
            *((f"{self.decides}, {answer}", _told(self.figures[0][answer])) for answer in (MIDDLE, KEPT)),
            *((f"{self.decides}, {file}", _told(told[STUDENT])) for file, told in zip(self.files, self.figures)),
        ]


def run(config: TwoFrameConfig) -> Measured:
    """Measure checkpoints on windows of two frames.

    Raises:
        UsageError: settings, checkpoints or an output that do not fit.
        DataError: sequences or weights that cannot be used, named.
    """
    files = out_files(config.out, [name for name, _ in config.checkpoints])
    models = find_models(config.checkpoints, config.tracker)
    tracker, learnt_in = models[0].tracker, models[0].window
    spec = geometry_of(tracker, config.window or learnt_in)
    if config.window and models[0].sha256 and config.window != geometry_of(tracker, learnt_in).size:
        log.warning("warning: --window %d: not what the weights learnt in", config.window)
    kind: Answers = spec.family.part("answers")(make_settings({"recipe": "a1", "tracker": tracker}), spec)
    device = resolve_device(config.device)
    torch.set_num_threads(config.threads)
    cv2.setNumThreads(1)
    windows = find_windows(config, spec, kind.starts)
    _warn_of_ranges(models, windows)
    total = sum(each.count for each in windows)
    about = {
        "tracker": tracker,
        "window": spec.size,
        "seed": config.seed,
        "windows": total,
        "modality": config.modality,
        "key": key_of(tracker, spec, windows),
        "decides": kind.decides,
    }
    told = [about | {"checkpoint": model.sha256} for model in models]
    contents = [keeps(file, each, config.on_existing) for file, each in zip(files, told)]
    todo = [place for place, content in enumerate(contents) if content is None]
    if todo or config.pictures:
        entrants = load_entrants(config.checkpoints, models, device, config.feature_cache)
        found = _measure(windows, [entrants[place] for place in todo], kind, device) if todo else []
        for place, means in zip(todo, found):
            content = contents[place] = content_of(told[place], means, windows[0].count)
            write_found(files[place], content)
        if config.pictures:
            draw(config.pictures, config.show, windows, entrants, kind, device)
    figures = tuple(content["figures"][kind.decides] for content in contents if content)
    return Measured(tuple(files), tracker, total, len(windows), kind.decides, figures)


def _measure(
    windows: Sequence[TwoFrames], entrants: Sequence[Entrant], kind: Answers, device: torch.device
) -> list[dict[str, Means]]:
    """Means by sequence, of each entrant."""
    means: list[dict[str, Means]] = [{} for _ in entrants]
    total = sum(each.count for each in windows)
    with logging_redirect_tqdm(), tqdm(total=total, desc="two-frame", unit="window", disable=None) as bar:
        for each in windows:
            shots = read_shots(each.footage, {frame for pair in each.draws for frame in pair})
            for own, found in zip(means, measure(each, shots, entrants, kind, device)):
                own[each.name] = found
            bar.update(each.count)
    return means


def _warn_of_ranges(models: Sequence[Model], windows: Sequence[TwoFrames]) -> None:
    firsts = {each.footage.clip.pictures[0]: each.footage.kind for each in windows}
    fixed = next((each.footage.tir_range for each in windows if each.footage.tir_range), None)
    for line in dict.fromkeys(range_warning(model.learnt, firsts, fixed) for model in models):
        if line:
            log.warning("warning: %s", line)


def _told(figure: dict[str, Any]) -> str:
    """A figure with its interval, where there are sequences enough for one."""
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    return f"{value:.3f}" if low is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"
