"""Where pseudo boxes come from when they are not drawn: detectors, chosen by name, imported only when used."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from pipeline.detect.base import Detections, Detector, DetectorName, DetectorSpec
from pipeline.detect.select import select

__all__ = ["Detections", "Detector", "DetectorSpec", "build_detector", "select"]

_MODULES: dict[DetectorName, str] = {
    "yolo": "pipeline.detect.yolo",
    "faster-rcnn": "pipeline.detect.faster_rcnn",
    "boxes": "pipeline.detect.boxes_file",
}


@lru_cache(maxsize=1)
def build_detector(spec: DetectorSpec) -> Detector:
    """Build a detector, or return the one this process built last from equal settings.

    Raises:
        UsageError: the library or the file it needs is missing; the message says how to get it.
        DataError: the file is there but damaged, of another kind, or a pickle that names foreign code.
    """
    detector: Detector = import_module(_MODULES[spec.name]).build(spec)
    return detector
