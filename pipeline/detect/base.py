"""What a detector takes and gives, and the settings it is built from. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import AfterValidator, Field

from pipeline.boxes import Boxes, clip
from pipeline.config import Settings
from pipeline.detect.class_numbers import ClassIds
from pipeline.detect.formats.boxes import Columns, LastColumn
from pipeline.errors import UsageError
from pipeline.images import Rgb
from pipeline.registries import DETECTORS

DetectorName = Annotated[str, AfterValidator(DETECTORS.check)]
"""A name in the registry, or ``package.module:build`` of one's own."""


class Reading(Settings):
    """How boxes in files are read, settled on all of them.

    Attributes:
        columns: of text labels.
        classes: number or name of a class in the files, and its number in shards; numbers that are not there stay.
    """

    columns: Columns = Columns()
    classes: tuple[tuple[int | str, int], ...] = ()


Backend = Literal["auto", "torchvision", "detectron2"]
Letterbox = Literal["square", "rect"]


class DetectorSpec(Settings):
    """Settings of a detector: small and picklable, so that each worker process builds its own model from a path.

    Attributes:
        name: of the detector.
        weights: local weights file of a model; never a model's name, so nothing is ever downloaded.
        config: for faster-rcnn, a detectron2 config (model zoo name or YAML file) or a torchvision builder's name.
        detections: for boxes, a JSON Lines or COCO JSON file, or a folder of labels.
        class_ids: for boxes, how class numbers without names are meant; None where the files tell.
        last_column: for boxes, what stands behind a box in YOLO text; None where the files tell.
        reading: for boxes, how the files are read, as its survey settled.
        confidence: boxes that score lower are dropped.
        batch_size: pictures a forward pass, where the model's boxes do not depend on it.
        at_once: on a CPU, forward passes at once, one thread each, where the detector can; boxes do not depend on it.
        letterbox: for yolo, what a picture is padded to: the square that the network was made for, or the smallest
            rectangle around it, scaled as for the square, whose sides are multiples of the network's stride.
        device: torch device, or ``auto`` for CUDA where there is any.
        backend: library of faster-rcnn; ``auto`` is detectron2 where ``config`` names one of its configs.
    """

    name: DetectorName
    weights: Path | None = None
    config: str | None = None
    detections: Path | None = None
    class_ids: ClassIds | None = None
    last_column: LastColumn | None = None
    reading: Reading | None = None
    confidence: float = Field(default=0.25, ge=0, le=1)
    batch_size: int = Field(default=8, ge=1)
    at_once: int = Field(default=1, ge=1)
    letterbox: Letterbox = "square"
    device: str = "cpu"
    backend: Backend = "auto"


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes found in one picture.

    Attributes:
        boxes: (n, 4) x, y, w, h in RGB pixels, pixel edges, clipped to the picture, none empty.
        scores: (n,) 0 to 1.
        classes: (n,) by the names that a model or a file has for them: COCO class 0 to 79
            (:mod:`pipeline.detect.classes`), from 80 on where COCO does not have it; the model's own number where it
            has no names; -1 for none.
        tracks: (n,) the number that each object has in all pictures of its sequence, -1 for one that has none; None
            where none has, as of a detector that sees one picture at a time.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    classes: NDArray[np.int16]
    tracks: NDArray[np.int32] | None = None

    @property
    def track_numbers(self) -> NDArray[np.int32]:
        """(n,) :attr:`tracks`, -1 where there are none."""
        return np.full(len(self), -1, np.int32) if self.tracks is None else self.tracks

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> Detections:
        """Nothing found."""
        return cls(np.empty((0, 4)), np.empty(0, np.float32), np.empty(0, np.int16))

    @classmethod
    def clipped(
        cls,
        boxes: ArrayLike,
        scores: ArrayLike,
        classes: ArrayLike,
        width: int,
        height: int,
        tracks: NDArray[np.int32] | None = None,
    ) -> Detections:
        """Boxes (n, 4) cut at the edges of a width x height picture; those with nothing left in it are dropped.

        Raises:
            ValueError: a box is not finite.
        """
        inside = clip(boxes, width, height)
        every = cls(
            inside, np.asarray(scores, np.float32).reshape(-1), np.asarray(classes, np.int16).reshape(-1), tracks
        )
        return every.take(np.flatnonzero((inside[:, 2:] > 0).all(axis=1)))

    def take(self, rows: ArrayLike) -> Detections:
        """The detections at integer indices ``rows``, in that order."""
        index = np.asarray(rows, dtype=np.intp)
        tracks = None if self.tracks is None else self.tracks[index]
        return Detections(self.boxes[index], self.scores[index], self.classes[index], tracks)


class Detector(Protocol):
    """Finds boxes in pictures.

    Attributes:
        weights_sha256: of the weights file, empty where there is none.
        batch_size: pictures that are best given at once.

    One whose classes are not COCO's has ``class_names`` as well: class -> name of all that it can find.
    """

    weights_sha256: str
    batch_size: int

    def detect(self, images: Sequence[Rgb], pair_ids: Sequence[str]) -> list[Detections]:
        """Detections of each picture, in order. A picture's result does not depend on the others.

        Args:
            images: any number of (H, W, 3) uint8 R, G, B pictures; sizes may differ.
            pair_ids: the pair each picture belongs to.
        """
        ...


def extra(detector: str) -> str:
    """How to install what a detector needs: the extra of the package that has its name."""
    return f'pip install "cmd-tir[{detector}]"'


def required_weights(path: Path | None, detector: str, source: str) -> Path:
    """Check that weights are a file that is there.

    Args:
        path: what the user gave.
        detector: its name on the command line.
        source: how to get the file, for the message.

    Raises:
        UsageError: no path, or no file there.
    """
    if path is None:
        raise UsageError(f"--detector {detector} needs a weights file: {source} and pass --weights PATH")
    if not path.is_file():
        raise UsageError(f"no such weights file: {path}: {source} and pass --weights PATH")
    return path
