"""``cmd-train two-frame``: find the sequences, cut the same windows for every checkpoint, write what each found."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch

from pipeline.config import differing, refuse_idle
from pipeline.files.json_text import write_json
from pipeline.next_command import kept_at
from pipeline.runtime.asked import keep_settings
from pipeline.runtime.device import resolve_device
from pipeline.runtime.progress import ProgressBar
from trainer.measure.answers import KEPT, MIDDLE, Answers
from trainer.measure.summary import STUDENT
from trainer.recipes.settings import make_settings
from trainer.sequences.odd_frames import odd_frames
from trainer.two_frame.footage import read_shots
from trainer.two_frame.found import content_of, keeps, out_files
from trainer.two_frame.key import key_of
from trainer.two_frame.measure import Means, batches, means_of, measure
from trainer.two_frame.models import Entrant, find_models, load_entrants
from trainer.two_frame.pictures import draw, spare_frames
from trainer.two_frame.sequences import find_windows
from trainer.two_frame.settings import TwoFrameConfig
from trainer.two_frame.windows import TwoFrames

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Measured:
    """What a call left.

    Attributes:
        files: a FOUND.json of each checkpoint, in the order given.
        settings: what they were made with, to be fed back; None where no command made them.
        pictures: folder of windows that were drawn; None where none were.
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
    settings: Path | None
    pictures: Path | None

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
        UsageError: settings, checkpoints or an output that do not fit, or a setting that would have no effect.
        DataError: sequences or weights that cannot be used, named.
    """
    refuse_idle(differing(config), config.without_effect())
    files = out_files(config.out, [name for name, _ in config.checkpoints])
    models, spec = find_models(config.checkpoints, config.tracker, config.window)
    tracker, device = models[0].tracker, resolve_device(config.device)
    kind: Answers = spec.family.part("answers")(make_settings({"recipe": "a1", "tracker": tracker}), spec)
    with _threads(config.threads):
        windows, left_out = find_windows(config, models, spec, kind.starts)
        total = sum(each.count for each in windows)
        about = {
            "tracker": tracker,
            "window": spec.size,
            "seed": config.seed,
            "windows": total,
            "modality": config.modality,
            "left_out": left_out,
            "decides": kind.decides,
            "key": key_of(tracker, spec, windows),
        }
        told = [about | {"checkpoint": model.sha256} for model in models]
        contents = [keeps(file, each, config.on_existing) for file, each in zip(files, told)]
        todo = [place for place, content in enumerate(contents) if content is None]
        if config.pictures:
            spare_frames(config.pictures, [name for name, _ in config.checkpoints], windows)
        if todo or config.pictures:
            entrants = load_entrants(config.checkpoints, models, device, config.feature_cache)
            if todo:
                files[0].parent.mkdir(parents=True, exist_ok=True)
                keep_settings(config.out)
            found = _measure(windows, [entrants[place] for place in todo], kind, device) if todo else []
            for place, means in zip(todo, found):
                content = contents[place] = content_of(told[place], means, windows[0].count)
                write_json(files[place], content)
            if config.pictures:
                draw(config.pictures, config.show, windows, entrants, kind, device)
    figures = tuple(content["figures"][kind.decides] for content in contents if content)
    kept = kept_at(config.out)
    settings = kept if kept.is_file() else None
    return Measured(tuple(files), tracker, total, len(windows), kind.decides, figures, settings, config.pictures)


def _measure(
    windows: Sequence[TwoFrames], entrants: Sequence[Entrant], kind: Answers, device: torch.device
) -> list[dict[str, Means]]:
    """Means by sequence, of each entrant."""
    means: list[dict[str, Means]] = [{} for _ in entrants]
    turned: dict[str, int] = {}
    blank: dict[str, int] = {}
    total = sum(each.count for each in windows)
    with ProgressBar("two-frame", total, "windows") as bar:
        for each in windows:
            parts, odd = [], (set[Path](), set[Path]())
            for numbers in batches(each.count):
                shots = read_shots(each.footage, {frame for number in numbers for frame in each.draws[number]})
                odd[0].update(shots.turned)
                odd[1].update(shots.blank)
                parts.append(measure([each.cut(number, shots) for number in numbers], entrants, kind, device))
                bar.advance(len(numbers))
            for own, figures in zip(means, zip(*parts)):
                own[each.name] = means_of(figures)
            turned |= {each.name: len(odd[0])} if odd[0] else {}
            blank |= {each.name: len(odd[1])} if odd[1] else {}
    for line in odd_frames(turned, blank):
        log.warning("warning: %s", line)
    return means


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """So many of torch's own for a while, and one of OpenCV's: what it cuts is small."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(count)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def _told(figure: dict[str, Any]) -> str:
    """A figure with its interval, where there are sequences enough for one."""
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    return f"{value:.3f}" if low is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"
