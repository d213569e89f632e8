"""What mining depends on, and where it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from pipeline.config import Settings, Whereabouts
from pipeline.detect.base import Backend, DetectorName, Letterbox
from pipeline.detect.class_numbers import ClassIds
from pipeline.detect.classes import parse_class
from pipeline.detect.formats.boxes import LastColumn
from pipeline.registries import METHODS

MethodName = Annotated[str, AfterValidator(METHODS.check)]
"""A name in the registry, or ``package.module:Class`` of one's own."""
ClassChoice = Annotated[int | str, AfterValidator(parse_class)]
"""The number of one of COCO's classes, given as that or by name, or another class's name."""

RESULTS = 1
"""Raised by a change that alters what equal settings give, so that no folder mixes two; 1 is not written."""
BEFORE: dict[str, object] = {"class_ids": None, "last_column": None, "letterbox": "square", "tubes": False}
"""Settings that came after 0.1 -> what was done before they came."""
DEFAULTS_BEFORE: dict[str, object] = {"center_fraction": 1 / 3}
"""Settings whose default has changed since 0.1 -> what it was, and what a record without them means."""
SHARED = frozenset({"method", "patch_size", "warped_format", "pairs_per_shard", "seed", "tubes"})
"""The settings that every method uses; one that makes no tubes refuses to."""
FOLLOWING = frozenset({"max_fb_error", "max_gap", "min_length"})
"""The settings that decide how long a region is followed."""


class MineSettings(Settings):
    """What the shards depend on, beside ``aligned.jsonl``, the data set's files, and those that a detector reads.

    Attributes:
        method: where the pseudo boxes come from.
        detector: which one; for ``detection`` only.
        detector_config: detectron2 configuration name or file.
        backend: which Faster R-CNN: torchvision's, detectron2's, or whichever is installed.
        letterbox: what YOLO pads a picture to: the square that the network was made for, or the smallest rectangle.
        confidence: lowest detector score kept.
        classes: classes kept, COCO's by name or by number (0 to 79), others by name; empty keeps all.
        class_ids: how class numbers without names are meant, in boxes from files; None where the files tell.
        last_column: what stands behind the box in YOLO text; None where the files tell.
        min_size: shortest side kept, pixels.
        max_size: longest side kept, pixels; 0 is no limit.
        fallback: what a pair without detections gets: a random patch, or nothing.
        patches_per_pair: at most this many patches a pair (center makes one).
        patch_size: side of the stored tight patches in pixels; 0 leaves them out.
        fraction: size of a random region relative to the picture.
        fraction_of: whether that is a share of each side or of the area.
        center_fraction: side of the centre square as a share of the common area's short side. A search window is five
            to six sides wide, and must have room to be shifted in the picture.
        max_overlap: largest IoU of two random regions of one pair.
        warped_format: how a TIR picture that had to be resampled is encoded.
        pairs_per_shard: pairs planned for one shard.
        seed: random regions are a function of it and of the pair's id.
        tubes: follow objects through the frames of a sequence, and store the boxes of one under one number.
        max_gap: steps between two frames of a tube at most: what it is not seen in between is bridged; with ``tubes``.
        min_length: frames of a tube at least; with ``tubes``.
        max_fb_error: by how much of its side sqrt(w h) a region may miss where it started when it is followed there and
            back, for random and center; with ``tubes``.
        options: settings that only the method knows, by name.
    """

    method: MethodName
    detector: DetectorName = "yolo"
    detector_config: str | None = None
    backend: Backend = "auto"
    letterbox: Letterbox = "square"
    confidence: float = Field(default=0.25, ge=0, le=1)
    classes: tuple[ClassChoice, ...] = ()
    class_ids: ClassIds | None = None
    last_column: LastColumn | None = None
    min_size: float = Field(default=16, ge=1)
    max_size: float = Field(default=0, ge=0)
    fallback: Literal["random", "skip"] = "random"
    patches_per_pair: int = Field(default=5, ge=1, le=1000)
    patch_size: int = Field(default=100, ge=0, le=4096)
    fraction: float = Field(default=1 / 6, gt=0, le=1)
    fraction_of: Literal["side", "area"] = "side"
    center_fraction: float = Field(default=1 / 8, gt=0, le=1)
    max_overlap: float = Field(default=0.1, ge=0, le=1)
    warped_format: Literal["jpg", "png"] = "jpg"
    pairs_per_shard: int = Field(default=500, ge=1, le=100_000)
    seed: int = 0
    tubes: bool = False
    max_gap: int = Field(default=10, ge=1, le=1000)
    min_length: int = Field(default=10, ge=2, le=100_000)
    max_fb_error: float = Field(default=0.02, gt=0, le=1)
    options: dict[str, Any] = Field(default_factory=dict)


class MineWhereabouts(Whereabouts):
    """Where the input is and where the work runs; of the files named here the content counts, not the place.

    Attributes:
        aligned: folder that ``align`` wrote.
        root: the data set's folder where it is not where ``align`` found it.
        weights: the detector's weights file.
        detections: file or folder with boxes, for the detector ``boxes``.
        device: where the detector runs.
        batch_size: pictures given to the detector at once.
        worker_resources: Dask worker resources one task needs.
        quick: keep finished shards by their size alone; else by their hash, for which they are read.
    """

    aligned: Path
    root: Path | None = None
    weights: Path | None = None
    detections: Path | None = None
    device: str = "cpu"
    batch_size: int = Field(default=8, ge=1)
    worker_resources: dict[str, float] | None = None
    quick: bool = False


class MineConfig(MineSettings, MineWhereabouts):
    """All that a run of ``mine`` takes: its settings and its whereabouts."""

    def for_tasks(self, count: int) -> MineConfig:
        """The same with no more processes than tasks: one without a task would hold cores that the others can use."""
        return self.model_copy(update={"workers": max(1, min(self.workers, count))})
