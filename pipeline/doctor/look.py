"""The work of one task: look at the pictures of a chunk of pairs, as ``align`` would before it registers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from pipeline import images
from pipeline.align import pictures
from pipeline.pairing.registration import clock, overlays, quality
from pipeline.records import PairFiles
from pipeline.runtime.counting import counted


@dataclass(frozen=True)
class Task:
    """Pairs of one sequence.

    Attributes:
        number: its place among the tasks.
        root: the data set's folder.
        pairs: what to look at.
        tir_range: raw values of 16-bit TIR that become 0 and 255.
        allowed: seconds of skew that the sequence allows.
    """

    number: int
    root: Path
    pairs: tuple[PairFiles, ...]
    tir_range: tuple[float, float] | None
    allowed: float


@dataclass
class Seen:
    """What the pictures of some pairs are like.

    Attributes:
        kinds: what a picture is, by side (``visible 640x512``), -> how many are.
        faults: code of a reason to reject or of a doubt -> how many pairs have it.
        examples: code -> what is said of the first such pair; of a kind, its name.
        rejected: pairs that ``align`` will reject.
        sizes: pair -> (width, height) of its RGB picture, of those that can be read.
        tir_sizes: likewise of its TIR picture, where that is another.
        pairs: how many were looked at.
        number: of the task.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    tir_sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    pairs: int = 0
    number: int = 0

    def add(self, other: Seen) -> None:
        """Add what was seen of later pairs."""
        self.kinds += other.kinds
        self.faults += other.faults
        self.examples = other.examples | self.examples
        self.rejected |= other.rejected
        self.sizes |= other.sizes
        self.tir_sizes |= other.tir_sizes
        self.pairs += other.pairs

    def kind(self, kind: str, pair: str) -> None:
        """Count what a picture of a pair is."""
        self.kinds[kind] += 1
        self.examples.setdefault(kind, pair)

    def fault(self, code: str, example: str) -> None:
        """Count a fault of a pair."""
        self.faults[code] += 1
        self.examples.setdefault(code, example)


def look(task: Task) -> Seen:
    """Look at the pictures of each pair of a task."""
    seen = Seen(pairs=len(task.pairs), number=task.number)
    for pair in counted(task.pairs):
        try:
            _look_at(task, pair, seen)
        except images.UnreadableImageError as error:
            seen.fault(error.reason, str(error))
            seen.rejected.add(pair.pair_id)
        except cv2.error as error:
            seen.fault("decode", f"{pair.rgb}, {pair.tir}: {images.refusal(error)}")
            seen.rejected.add(pair.pair_id)
    return seen


def _look_at(task: Task, pair: PairFiles, seen: Seen) -> None:
    """Count what one pair is, and each thing that is wrong with it.

    Raises:
        UnreadableImageError: a picture is damaged, or no thermal picture.
    """
    encoded = pictures.read(task.root, pair)
    seen.sizes[pair.pair_id] = images.picture_size(encoded.rgb, pair.rgb)
    loaded = pictures.decode(encoded, pair, task.tir_range)
    if loaded.tir.shape != loaded.rgb.shape[:2]:
        seen.tir_sizes[pair.pair_id] = (loaded.tir.shape[1], loaded.tir.shape[0])
    seen.kind(f"visible {_size(loaded.rgb.shape)}", pair.pair_id)
    bits = "8 bits" if loaded.tir_range is None else "raw values"
    seen.kind(f"thermal {_size(loaded.tir.shape)}, {bits}", pair.pair_id)
    for flag in encoded.flags:
        seen.fault(flag, pair.pair_id)
    found = [
        verdict for verdict in (clock.skewed(pair, task.allowed), quality.inspect(loaded.rgb, loaded.tir)) if verdict
    ]
    for verdict in found:
        for code in filter(None, (verdict.reason, *verdict.flags)):
            seen.fault(code, f"{pair.pair_id}: {verdict.detail}" if verdict.detail else pair.pair_id)
    if any(verdict.reason for verdict in found):
        seen.rejected.add(pair.pair_id)
    elif overlays.look([(loaded.rgb, loaded.tir)]).sure is not None:
        seen.fault("overlay", pair.pair_id)


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]}x{shape[0]}"
