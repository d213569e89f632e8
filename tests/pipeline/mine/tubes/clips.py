"""Clips that the tests draw: squares that move before a background, and what a detector says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import images
from pipeline.records import AlignedPair, write_rows

from ....conftest import IDENTITY, SIZE, draw_pair

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Thing:
    """What moves: where it is in the first frame, how far it goes in each, and in which frames it is detected."""

    start: Box
    step: tuple[float, float]
    frames: Sequence[int]
    category: int = 0

    def box(self, frame: int) -> Box:
        x, y, w, h = self.start
        return (x + self.step[0] * frame, y + self.step[1] * frame, w, h)

    def score(self, frame: int) -> float:
        """Another one in every frame."""
        return round(0.9 - 0.01 * (frame % 20), 2)


@dataclass(frozen=True)
class Clip:
    """A sequence: how many frames, what moves, where the scene is another one, which frames are the one before.

    ``rate``: frames of the video per second, where rows have timestamps.
    """

    frames: int
    things: Sequence[Thing] = ()
    cuts: Sequence[int] = ()
    copies: Sequence[int] = ()
    missing: Sequence[int] = ()
    stride: int = 1
    rate: float | None = None
    scenes: Sequence[int] = field(default=range(100, 200))

    def picture(self, frame: int) -> NDArray[np.uint8]:
        """(h, w, 3) what the camera saw; a copy shows what was before it."""
        while frame in self.copies:
            frame -= 1
        picture = draw_pair(self.scenes[sum(cut <= frame for cut in self.cuts)])[0].copy()
        for number, thing in enumerate(self.things):
            x, y, w, h = (round(value) for value in thing.box(frame))
            cv2.rectangle(picture, (x, y), (x + w - 1, y + h - 1), (40 + 60 * number, 250 - 50 * number, 90), -1)
        # Some noise, so that no two frames of a clip are one another's copies.
        noise = np.random.default_rng(frame).integers(-4, 5, picture.shape)
        return np.clip(picture.astype(np.int64) + noise, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Clips:
    """A data set of clips, aligned, with the detections of what moves in them."""

    aligned: Path
    detections: Path
    rows: list[AlignedPair]

    @property
    def words(self) -> tuple[object, ...]:
        """What to type of it."""
        boxes = ("--detector", "boxes", "--detections", self.detections)
        return ("--aligned", self.aligned, "--method", "detection", *boxes, "--tubes", "--patch-size", 0)


def draw_clips(folder: Path, clips: dict[str, Clip], ids: bool = False) -> Clips:
    """Draw clips into a folder; the rows are not in the order of time. ``ids``: the boxes say whose they are."""
    root, aligned = folder / "data", folder / "aligned"
    aligned.mkdir(parents=True)
    rows, lines = [], []
    for sequence, clip in clips.items():
        for frame in sorted(set(range(clip.frames)) - set(clip.missing), key=lambda n: (n * 7) % 11):
            name = f"{sequence}/f{frame * clip.stride}"
            row = {"pair_id": name, "sequence": sequence, "frame": f"f{frame * clip.stride}", "rgb_size": SIZE}
            row |= {"timestamp": frame * clip.stride / clip.rate} if clip.rate else {}
            for side, picture in (("rgb", clip.picture(frame)), ("tir", np.full(SIZE[::-1], 90, np.uint8))):
                row[side] = f"{sequence}/{side}/f{frame * clip.stride}.png"
                (root / row[side]).parent.mkdir(parents=True, exist_ok=True)
                (root / row[side]).write_bytes(images.encode(picture, ".png"))
            more = {"tir_size": SIZE, "homography": IDENTITY, "model": "identity", "score": 1.0, "scores": {}}
            rows.append(AlignedPair.model_validate(row | more))
            seen = [(n, thing) for n, thing in enumerate(clip.things) if frame in thing.frames]
            line = {"pair_id": name, "boxes": [thing.box(frame) for _, thing in seen]}
            line |= {"scores": [thing.score(frame) for _, thing in seen]}
            line |= {"classes": [thing.category for _, thing in seen]}
            lines.append(json.dumps(line | ({"id": [n + 7 for n, _ in seen]} if ids else {})) + "\n")
    write_rows(aligned / "aligned.jsonl", rows)
    (aligned / "align.json").write_text(json.dumps({"root": str(root)}))
    (folder / "boxes.jsonl").write_text("".join(lines))
    return Clips(aligned, folder / "boxes.jsonl", rows)
