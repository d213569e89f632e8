"""Pseudo boxes from files, such as a data set's labels or detections that others hand out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.detect.base import Detections, DetectorSpec, Reading
from pipeline.detect.formats import BoxFiles, open_boxes
from pipeline.detect.formats.track_ids import track_number
from pipeline.detect.placing import scale
from pipeline.detect.survey import Pairs, Survey, survey_boxes
from pipeline.errors import DataError
from pipeline.files.plain import stamp
from pipeline.images import Rgb


class BoxesDetector:
    """Looks a picture's boxes up; one that the files do not mention has none."""

    weights_sha256 = ""
    batch_size = 1

    def __init__(self, spec: DetectorSpec, files: BoxFiles) -> None:
        """Wrap a reader.

        Args:
            spec: of it ``confidence`` counts (boxes that score lower are dropped, those without a score stay), and how
                the files are read.
            files: the boxes by name of picture.
        """
        self.spec = spec
        self.files = files
        self.reading = spec.reading or Reading()
        self._classes = dict(self.reading.classes)

    def survey(self, pairs: Pairs) -> Survey:
        """Find out what the files call each pair, and how they are to be read.

        Raises:
            DataError: they call none of them anything, or can be read in two ways.
            UsageError: a setting says how to read what is not there.
        """
        return survey_boxes(self.spec, self.files, pairs)

    def detect(self, images: Sequence[Rgb], pair_ids: Sequence[str]) -> list[Detections]:
        """Boxes of each picture, in order; of the pictures only the sizes are used.

        Args:
            images: (H, W, 3) uint8 pictures.
            pair_ids: what the files call each picture, as :meth:`survey` found; empty where they do not.

        Raises:
            DataError: a file cannot be read, or is another one than at the survey.
        """
        return [self._detect(image, name) for image, name in zip(images, pair_ids, strict=True)]

    def _detect(self, image: Rgb, name: str) -> Detections:
        if not name:
            return Detections.empty()
        height, width = image.shape[:2]
        read = self.files.read(name, self.reading.columns)
        factor = scale(read, (width, height))
        strange = [kind for kind in read.classes if isinstance(kind, str) and kind not in self._classes]
        if factor is None or strange:
            raise DataError(f"{self.spec.detections}: {name} is not what it was when the run began: mine again")
        kept = np.flatnonzero(read.scores.astype(np.float32) >= self.spec.confidence)
        classes = [self._classes.get(read.classes[i], read.classes[i]) for i in kept]
        tracks = np.array([track_number(read.ids[i]) for i in kept], np.int32) if read.ids else None
        return Detections.clipped(read.boxes[kept] * factor, read.scores[kept], classes, width, height, tracks)


def build(spec: DetectorSpec) -> BoxesDetector:
    """Build the detector from ``spec.detections``.

    Raises:
        UsageError: nothing given, nothing there, or a file of another kind.
        DataError: a malformed file; the message names the file and the line or entry.
    """
    return BoxesDetector(spec, _opened(spec.detections, stamp(spec.detections)))


@lru_cache(maxsize=1)
def _opened(path: Path | None, _file: tuple[int, ...]) -> BoxFiles:
    """The reader of a file as it is now: one serves the survey and the work after it, which know of it differently."""
    return open_boxes(path)
