"""Where pseudo boxes come from when they are not drawn: detectors, chosen by name, imported only when used."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pipeline.detect.base import Detections, Detector, DetectorSpec
from pipeline.detect.select import select
from pipeline.detect.survey import Pairs, Survey, Surveys
from pipeline.errors import UsageError
from pipeline.files.plain import stamp
from pipeline.registries import DETECTORS

__all__ = ["Detections", "Detector", "DetectorSpec", "Pairs", "Survey", "Surveys", "build_detector", "select"]


def build_detector(spec: DetectorSpec) -> Detector:
    """Build a detector, or return the one this process built last from equal settings and the very same files.

    Raises:
        UsageError: the detector, the library or the file it needs is missing; the message says how to get it.
        DataError: the file is there but damaged, of another kind, or a pickle that names foreign code.
    """
    files = (spec.weights, spec.detections, Path(spec.config) if spec.config else None)
    return _built(spec, tuple(map(stamp, files)))


@lru_cache(maxsize=1)
def _built(spec: DetectorSpec, _files: tuple[tuple[int, ...], ...]) -> Detector:
    detector: Detector = DETECTORS.load(spec.name)(spec)
    lacking = [name for name in ("detect", "weights_sha256", "batch_size") if not hasattr(detector, name)]
    if lacking:
        raise UsageError(
            f"detector {spec.name}: what it builds has no {', no '.join(lacking)}: see pipeline.detect.Detector"
        )
    return detector
