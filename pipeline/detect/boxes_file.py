"""Pseudo boxes from files, such as a data set's labels or detections that others hand out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.detect.base import Detections, DetectorSpec
from pipeline.detect.formats import BoxFiles, open_boxes
from pipeline.detect.survey import Pairs, Survey, survey_boxes
from pipeline.images import Rgb


class BoxesDetector:
    """Looks a picture's boxes up; one that the files do not mention has none."""

    weights_sha256 = ""
    batch_size = 1

    def __init__(self, path: Path, files: BoxFiles, confidence: float) -> None:
        """Wrap a reader.

        Args:
            path: of the files, for messages.
            files: the boxes by name of picture.
            confidence: boxes that score lower are dropped; those without a score stay.
        """
        self.path = path
        self.files = files
        self.confidence = confidence

    def survey(self, pairs: Pairs) -> Survey:
        """Find out what the files call each pair.

        Raises:
            DataError: they call none of them anything, or one name could be that of several.
        """
        return survey_boxes(self.path, self.files, pairs)

    def detect(self, images: Sequence[Rgb], pair_ids: Sequence[str]) -> list[Detections]:
        """Boxes of each picture, in order; of the pictures only the sizes are used.

        Args:
            images: (H, W, 3) uint8 pictures.
            pair_ids: what the files call each picture, as :meth:`survey` found; empty where they do not.
        """
        return [self._detect(image, name) for image, name in zip(images, pair_ids, strict=True)]

    def _detect(self, image: Rgb, name: str) -> Detections:
        if not name:
            return Detections.empty()
        height, width = image.shape[:2]
        read = self.files.read(name)
        scale = np.tile(np.array((width, height)) / (read.size or (width, height)), 2)
        kept = read.scores.astype(np.float32) >= self.confidence
        boxes = read.boxes[kept] * scale
        return Detections.clipped(boxes, read.scores[kept], read.classes[kept], width, height)


def build(spec: DetectorSpec) -> BoxesDetector:
    """Build the detector from ``spec.detections``.

    Raises:
        UsageError: nothing given, nothing there, or a file of another kind.
        DataError: a malformed file; the message names the file and the line or entry.
    """
    files = open_boxes(spec.detections)
    return BoxesDetector(Path(spec.detections or ""), files, spec.confidence)
