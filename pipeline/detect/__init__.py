"""Where pseudo boxes come from when they are not drawn: detectors, chosen by name, imported only when used."""

from __future__ import annotations

from functools import lru_cache

from pipeline.detect.base import Detections, Detector, DetectorSpec
from pipeline.detect.select import select
from pipeline.errors import UsageError
from pipeline.registries import DETECTORS

__all__ = ["Detections", "Detector", "DetectorSpec", "build_detector", "select"]


@lru_cache(maxsize=1)
def build_detector(spec: DetectorSpec) -> Detector:
    """Build a detector, or return the one this process built last from equal settings.

    Raises:
        UsageError: the detector, the library or the file it needs is missing; the message says how to get it.
        DataError: the file is there but damaged, of another kind, or a pickle that names foreign code.
    """
    detector: Detector = DETECTORS.load(spec.name)(spec)
    lacking = [name for name in ("detect", "weights_sha256", "batch_size") if not hasattr(detector, name)]
    if lacking:
        raise UsageError(
            f"detector {spec.name}: what it builds has no {', no '.join(lacking)}: see pipeline.detect.Detector"
        )
    return detector
