"""What is settled of boxes in files before the work starts, on all pairs: whose they are, and what they mean."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from pipeline.boxes import Boxes, clip
from pipeline.detect.base import DetectorSpec, Reading
from pipeline.detect.class_numbers import like_coco, settle
from pipeline.detect.formats import BoxFiles
from pipeline.detect.formats.boxes import Columns
from pipeline.detect.formats.track_ids import Objects
from pipeline.detect.names import Match, match, nearest
from pipeline.detect.placing import other_size, scale
from pipeline.errors import DataError
from pipeline.files.hashing import file_sha256, text_sha256
from pipeline.runtime.progress import ProgressBar, followed

log = logging.getLogger(__name__)

MANY = 2000
"""Files that take so long to read that it is shown how far that is."""
TOLD = {
    "unusable": "have no width or height and are left out",
    "outside": "lie outside their picture and are left out",
    "beyond": "lie by more than half outside their picture and are cut at its edge",
    "ignored": "are regions to be ignored and are left out",
    "outlines": "are outlines, and their bounding boxes are taken",
    "shared": "share their track id with another box of the picture, and are of no known object",
}
"""What is told of boxes, by what is counted."""
AMISS = ("unusable", "outside", "beyond", "shared")
"""What should not be in such a file: a warning."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of a run.

    Attributes:
        sizes: aligned pair -> (width, height) of its RGB picture.
        rejected: pairs that were found and could not be aligned.
        tir_sizes: aligned pair -> (width, height) of its TIR picture, where another size than that of RGB.
    """

    sizes: Mapping[str, tuple[int, int]]
    rejected: Collection[str] = ()
    tir_sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Survey:
    """What a look at all pairs settles; every worker is told the same.

    Attributes:
        names: pair -> what the detector's files call it; a pair without has nothing in them.
        reading: how the files are read.
        counts: what did not fit -> how often, for ``index.json``; empty where all fits.
        recorded: what the shards note beside the settings: how the files were read, where version 0.1 did otherwise.
        class_names: class -> name, of those that are not COCO's.
        classes: class -> boxes of all pairs.
        content_sha256: of the files of a folder, and of how they are read; empty for one file, whose hash is known.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    reading: Reading | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    recorded: Mapping[str, object] = field(default_factory=dict)
    class_names: Mapping[int, str] = field(default_factory=dict)
    classes: Mapping[int, int] = field(default_factory=dict)
    content_sha256: str = ""

    def of(self, pairs: Iterable[str]) -> Survey:
        """What a worker needs to know of some of the pairs."""
        names = {pair: self.names[pair] for pair in pairs if pair in self.names}
        return replace(self, names=names, counts={}, recorded={}, classes={})


@runtime_checkable
class Surveys(Protocol):
    """A detector that has to see the names of all pairs before it is asked about one.

    It is asked in the process that starts the run, where it is built too: one's own with ``--detections`` alone.
    """

    def survey(self, pairs: Pairs) -> Survey:
        """Settle what the detector's files call each pair; ``Detector.detect`` is given that instead of its id."""
        ...


def survey_boxes(spec: DetectorSpec, files: BoxFiles, pairs: Pairs) -> Survey:
    """Settle which entry belongs to which pair, and what its boxes and classes mean; tell what does not fit.

    Raises:
        DataError: no name belongs to a pair, one could be that of several, boxes cannot be read or placed, or can be
            read in two ways.
        UsageError: a setting says how to read what is not there.
    """
    path = Path(spec.detections or "")
    found = match(str(path), files.names, pairs.sizes.keys(), pairs.rejected)
    if not found.names:
        if found.unknown and found.unknown[0].endswith(".xml"):
            # One file for all pictures, as CVAT writes it, is no matter of names: what reads it says so.
            files.read(found.unknown[0], Columns())
        raise _nothing_fits(path, found, pairs)
    for how, (name, pair) in found.read_as.items():
        log.info("%s: names are read %s: %s is %s", path, how, name, pair)
    counts = _tell_names(path, found) if found.unknown or found.bare else {}
    columns = files.columns(_shown(found.names.values(), "read boxes"), spec.last_column)
    seen = _look(path, files, found.names, columns, pairs)
    numbers = settle(path, seen.classes, files.categories(), files.numbered, spec.class_ids)
    if files.numbered == "index" and not spec.class_ids and (number := like_coco(seen.classes, files.categories())):
        told = "class %d is read as none of COCO's 0 to 79: are these its ids? say --class-ids coco or index"
        log.warning(f"%s: {told}", path, number)
    classes: Counter[int] = Counter()
    for kind, count in seen.classes.items():
        classes[numbers.of[kind]] += count
    recorded = dict(numbers.recorded)
    if found.read_as:
        recorded["names_read"] = sorted(found.read_as)
    if seen.scaled:
        recorded["boxes_scaled"] = True
    reading = Reading(columns=columns, classes=tuple(numbers.of.items()))
    content = _content(path, found.names.values(), reading) if path.is_dir() else ""
    return Survey(found.names, reading, counts | seen.counts(), recorded, numbers.names, classes, content)


def _shown(names: Collection[str], what: str) -> Iterator[str]:
    """Names; where they are many, it is shown how far they are gone through; ``what`` is done with them."""
    return followed(names, ProgressBar(what, len(names), "files", shown=len(names) >= MANY))


def _content(folder: Path, names: Iterable[str], reading: Reading) -> str:
    """The hash of the files that are used: a class is changed by a digit, which changes no file's size.

    And of how they are read: the list of classes is none of them, and may lie above the folder.
    """
    files = [f"{name} {file_sha256(folder / name)}" for name in _shown(sorted(names), "hash boxes")]
    return text_sha256("\n".join([*files, reading.model_dump_json()]))


def _nothing_fits(path: Path, found: Match, pairs: Pairs) -> DataError:
    """The error for names none of which belongs to an aligned pair."""
    count, one = len(pairs.sizes), min(pairs.sizes)
    if not found.unknown:
        held = f"only rejected pairs, such as {found.rejected[0]}" if found.rejected else "no picture"
        return DataError(f"{path} names {held}: pass boxes of the {count} aligned pairs, such as {one}")
    name = found.unknown[0]
    guess = nearest(name, pairs.sizes)
    hint = f"is {name} the pair {guess}? " if guess else ""
    return DataError(
        f"{path}: none of {len(found.unknown)} names belongs to any of {count} pairs: the names are like {name}, the "
        f"pairs like {guess or one}: {hint}give the boxes the names of their pairs"
    )


def _tell_names(path: Path, found: Match) -> dict[str, int]:
    """Warn of names and pairs that stay alone; how many there are of each."""
    unknown = f", {len(found.unknown)} to none (such as {found.unknown[0]})" if found.unknown else ""
    rejected = f", {len(found.rejected)} to rejected ones" if found.rejected else ""
    bare = f", {len(found.bare)} have none (such as {found.bare[0]})" if found.bare else ""
    total = len(found.names) + len(found.unknown) + len(found.rejected)
    log.warning(
        "%s: of %d names %d belong to aligned pairs%s%s; of %d aligned pairs %d have an entry%s",
        *(path, total, len(found.names), rejected, unknown, len(found.names) + len(found.bare), len(found.names), bare),
    )
    return {
        "names_found": len(found.names),
        "names_not_found": len(found.unknown),
        "names_of_rejected_pairs": len(found.rejected),
        "pairs_found": len(found.names),
        "pairs_not_found": len(found.bare),
    }


@dataclass
class _Seen:
    """What the boxes of all pairs are."""

    classes: Counter[int | str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    total: int = 0
    scaled: int = 0
    unsized: int = 0
    objects: Objects = field(default_factory=Objects)

    def counts(self) -> dict[str, int]:
        """For ``index.json``: what was left out or changed."""
        noted = {f"boxes_{key}": count for key, count in self.notes.items()}
        return noted | ({"pictures_scaled": self.scaled} if self.scaled else {})


def _look(path: Path, files: BoxFiles, names: Mapping[str, str], columns: Columns, pairs: Pairs) -> _Seen:
    """Read the boxes of every pair once; tell what is left out or changed."""
    seen = _Seen()
    for name, pair in zip(_shown(names.values(), "look at boxes"), names):
        read, size = files.read(name, columns), pairs.sizes[pair]
        factor, other = scale(read, size), other_size(read, size)
        if factor is None or (other and pairs.tir_sizes.get(pair) == other):
            raise _other_picture(path, name, pair, other or size, pairs)
        if other:
            seen.scaled += 1
            seen.examples.setdefault("scaled", f"{name} is {_size(other)}, its picture {_size(size)}")
        seen.unsized += read.size is None and len(read.boxes) > 0
        for key, count in [*read.notes.items(), *_outside(read.boxes * factor, size).items()]:
            seen.notes[key] += count
            seen.examples.setdefault(key, name if key in read.notes else f"{name} of {_size(size)} pixels")
        seen.classes.update(read.classes)
        seen.objects.add(path, pair, read.ids)
        seen.total += len(read.boxes) + read.notes.get("unusable", 0) + read.notes.get("ignored", 0)
    out = seen.notes["outside"] + seen.notes["beyond"]
    if out > seen.total / 2:
        example = seen.examples.get("outside") or seen.examples["beyond"]
        raise DataError(
            f"{path}: {out} of {seen.total} boxes lie by more than half outside their picture, such as in {example}: "
            "give x, y, width, height; scale those of a larger picture, or declare its size in a COCO file"
        )
    if seen.objects.boxes:
        log.info(
            "%s: %d of %d boxes have an object's id, of %d objects",
            path,
            seen.objects.boxes,
            seen.total,
            len(seen.objects),
        )
    if seen.scaled:
        others = f"; {seen.unsized} others are of no declared size and taken as they are" if seen.unsized else ""
        log.warning("%s: boxes of %d pictures are scaled: %s%s", path, seen.scaled, seen.examples["scaled"], others)
    for key, count in seen.notes.items():
        tell = log.warning if key in AMISS else log.info
        tell("%s: %d of %d boxes %s, such as in %s", path, count, seen.total, TOLD[key], seen.examples[key])
    return seen


def _outside(boxes: Boxes, size: tuple[int, int]) -> dict[str, int]:
    """How many boxes (n, 4) have nothing in a picture of (width, height), and how many less than half of themselves."""
    inside = clip(boxes, *size)[:, 2:].prod(axis=1)
    outside = int((inside <= 0).sum())
    beyond = int((2 * inside < boxes[:, 2:].prod(axis=1)).sum()) - outside
    return {key: count for key, count in (("outside", outside), ("beyond", beyond)) if count}


def _other_picture(path: Path, name: str, pair: str, size: tuple[float, float], pairs: Pairs) -> DataError:
    """The error for boxes that were drawn in a picture which cannot be the RGB picture in another size."""
    tir = pairs.tir_sizes.get(pair) == size
    what = "the size of its TIR picture" if tir else "a picture of another shape"
    return DataError(
        f"{path}: {name} is declared as {_size(size)}, {what}, but the RGB picture of pair {pair} is "
        f"{_size(pairs.sizes[pair])}: give boxes that were drawn in the RGB pictures"
    )


def _size(size: tuple[float, float]) -> str:
    return f"{size[0]:g}x{size[1]:g}"
