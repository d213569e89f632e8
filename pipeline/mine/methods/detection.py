"""What a detector found in the visible picture (section 3.2 of the CMD paper)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from pipeline.detect import Detections, DetectorSpec, Pairs, Survey, Surveys, build_detector, select
from pipeline.detect.classes import class_name, wanted_classes
from pipeline.errors import UsageError, some
from pipeline.files.hashing import file_sha256, text_sha256
from pipeline.mine.methods.base import Method, PairView, Proposed
from pipeline.mine.methods.random import USES, random_regions
from pipeline.mine.proposals import Proposal, covered
from pipeline.mine.settings import MineSettings, MineWhereabouts
from pipeline.records import Reason
from pipeline.registries import DETECTORS, READ_DETECTIONS
from pipeline.runtime.executor import cores_each

log = logging.getLogger(__name__)
DETECTING = frozenset(
    {
        "detector",
        "detector_config",
        "backend",
        "letterbox",
        "confidence",
        "classes",
        "class_ids",
        "last_column",
        "min_size",
        "max_size",
    }
)
"""The settings that decide what is seen in a picture."""


class Detection(Method):
    """Boxes of a detector, rarer classes first; a pair without any gets a random region, or nothing."""

    uses: ClassVar[frozenset[str]] = USES | DETECTING | {"fallback"}
    tube_uses: ClassVar[frozenset[str]] = DETECTING | {"patches_per_pair", "max_gap", "min_length"}
    looks: ClassVar[bool] = True

    def __init__(self, settings: MineSettings) -> None:
        super().__init__(settings)
        self.detector = settings.detector
        self.pair_in_frames = 1.0 if settings.detector in READ_DETECTIONS else 0.05
        self.falls_back = settings.fallback == "random" and not settings.tubes

    def survey(self, pairs: Pairs, where: MineWhereabouts) -> Survey:
        """What a detector that reads boxes calls the pairs in its files; the others see nothing but pictures.

        Raises:
            UsageError: a class that is to be kept has no such name.
        """
        if not self._reads_boxes(where):
            return Survey()
        detector = build_detector(detector_spec(self.settings, where))
        survey = detector.survey(pairs) if isinstance(detector, Surveys) else Survey()
        wanted = wanted_classes(self.settings.classes, survey.class_names)
        if wanted and survey.classes and wanted.isdisjoint(survey.classes):
            found = (f"{class_name(each, survey.class_names)} {n}" for each, n in sorted(survey.classes.items()))
            log.warning("--classes keeps none of the boxes: they are %s", some(list(found)))
        return survey

    def _reads_boxes(self, where: MineWhereabouts) -> bool:
        """Whether the detector is given files of boxes: one that reads them, or one's own if it gets any."""
        detector = self.settings.detector
        return detector in READ_DETECTIONS or (detector not in DETECTORS and where.detections is not None)

    def open(self, where: MineWhereabouts) -> None:
        """Build the detector, or take the one that this process has."""
        reading = self.surveyed.reading if self.surveyed else None
        self._built = build_detector(detector_spec(self.settings, where).model_copy(update={"reading": reading}))
        named = self.surveyed.class_names if self.surveyed else {}
        self.class_names = {} if named else getattr(self._built, "class_names", {})
        self._classes = wanted_classes(self.settings.classes, {**self.class_names, **named})
        if self._classes and self.class_names and self._classes.isdisjoint(self.class_names):
            found = some(sorted(self.class_names.values()))
            raise UsageError(f"--classes: the detector finds none of those, but {found}: name some of these")
        self._renames = self._reads_boxes(where) and isinstance(self._built, Surveys)
        self.weights_sha256, self.batch_size = self._built.weights_sha256, self._built.batch_size

    def detect(self, pairs: Sequence[PairView]) -> list[Detections]:
        """What is seen in each pair of a batch and may become a box, rarer classes first."""
        pictures = [pair.rgb for pair in pairs if pair.rgb is not None]
        names = [pair.pair_id for pair in pairs]
        if self.surveyed and self._renames:
            names = [self.surveyed.names.get(name, "") for name in names]
        detections = self._built.detect(pictures, names) if pairs else []
        classes, low, high = self._classes or None, self.settings.min_size, self.settings.max_size or None
        return [select(each, classes=classes, min_size=low, max_size=high) for each in detections]

    def propose(self, pairs: Sequence[PairView]) -> Iterator[Proposed]:
        """The boxes of each pair of a batch, in order."""
        for pair, seen in zip(pairs, self.detect(pairs), strict=True):
            yield self._choose(pair, seen.take(np.arange(len(seen))[: self.settings.patches_per_pair]))

    def _choose(self, pair: PairView, chosen: Detections) -> Proposed:
        used = self.settings
        columns = zip(chosen.boxes, chosen.scores, chosen.classes, chosen.track_numbers, strict=True)
        detected = [Proposal(box, float(score), int(kind), int(track)) for box, score, kind, track in columns]
        inside, outside = covered(detected, pair.valid)
        left_out: list[tuple[Reason, str]] = []
        if outside:
            detail = f"{len(outside)} of {len(detected)} boxes are less than 95 % inside the TIR footprint"
            left_out.append(("outside_tir", detail))
        found = bool(inside)
        if not found and self.falls_back:
            inside = random_regions(pair, 1, used)
        if not inside and not left_out:
            skipped = used.fallback == "skip"
            left_out.append(
                ("no_detection", "nothing found") if skipped else ("outside_tir", "no common area to cut from")
            )
        return Proposed(inside, left_out, fell_back=bool(inside) and not found)

    def sources(self) -> dict[str, str]:
        """SHA-256, by name, of the source of a method or a detector that was plugged in."""
        own = DETECTORS.source_sha256(self.settings.detector)
        return super().sources() | ({"detector_source_sha256": own} if own else {})

    def inputs(self, where: MineWhereabouts) -> dict[str, str]:
        """SHA-256, by name, of the files that the detector reads.

        Of a path that is missing the detector says best what should be there, when it is built.
        """
        detector = self.settings.detector
        hashes: dict[str, str] = {}
        if detector not in READ_DETECTIONS:
            hashes |= _fingerprint("weights", where.weights)
        if detector in READ_DETECTIONS or detector not in DETECTORS:
            hashes |= _fingerprint("detections", where.detections)
        return hashes


def detector_spec(settings: MineSettings, where: MineWhereabouts) -> DetectorSpec:
    """The detector that the settings ask for."""
    return DetectorSpec(
        name=settings.detector,
        weights=where.weights,
        config=settings.detector_config,
        detections=where.detections,
        class_ids=settings.class_ids,
        last_column=settings.last_column,
        confidence=settings.confidence,
        batch_size=where.batch_size,
        at_once=cores_each(where.workers, where.scheduler),
        letterbox=settings.letterbox,
        device=where.device,
        backend=settings.backend,
    )


def _fingerprint(key: str, path: Path | None) -> dict[str, str]:
    """SHA-256 of a file; a folder counts by the names and sizes in it."""
    if path and path.is_file():
        return {f"{key}_sha256": file_sha256(path)}
    if path and path.is_dir():
        names = sorted(f"{file.relative_to(path)}:{file.stat().st_size}" for file in path.rglob("*.*"))
        return {f"{key}_listing_sha256": text_sha256("\n".join(names))}
    return {}
