"""What is settled of boxes in files before the work starts, on all pairs of a run: whose they are, what is amiss."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from pipeline.boxes import clip
from pipeline.detect.formats import BoxFiles
from pipeline.detect.names import Match, match, nearest
from pipeline.errors import DataError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pairs:
    """The pairs of a run.

    Attributes:
        sizes: aligned pair -> (width, height) of its RGB picture.
        rejected: pairs that were found and could not be aligned.
    """

    sizes: Mapping[str, tuple[int, int]]
    rejected: Collection[str] = ()


@dataclass(frozen=True)
class Survey:
    """What a look at all pairs settles; every worker is told the same.

    Attributes:
        names: pair -> what the detector's files call it; a pair without has nothing in them.
        counts: what did not fit -> how often, for ``index.json``; empty where all fits.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def of(self, pairs: Iterable[str]) -> Survey:
        """What concerns some of the pairs."""
        return replace(self, names={pair: self.names[pair] for pair in pairs if pair in self.names})


@runtime_checkable
class Surveys(Protocol):
    """A detector that has to see the names of all pairs before it is asked about one."""

    def survey(self, pairs: Pairs) -> Survey:
        """Settle what the detector's files call each pair; ``Detector.detect`` is given that instead of its id."""
        ...


def survey_boxes(path: Path, files: BoxFiles, pairs: Pairs) -> Survey:
    """Settle which entry belongs to which pair, and look at the boxes of each; tell what does not fit.

    Raises:
        DataError: no name belongs to a pair, one could be that of several, or boxes cannot be read.
    """
    found = match(str(path), files.names, pairs.sizes.keys(), pairs.rejected)
    if not found.names:
        raise _nothing_fits(path, found, pairs)
    for how, (name, pair) in found.read_as.items():
        log.info("%s: names are read %s: %s is %s", path, how, name, pair)
    boxes = _boxes(path, files, found.names, pairs)
    counts: dict[str, int] = {}
    if found.unknown or found.bare:
        _tell_names(path, found)
        counts |= {
            "names_found": len(found.names),
            "names_not_found": len(found.unknown),
            "names_of_rejected_pairs": len(found.rejected),
            "pairs_found": len(found.names),
            "pairs_not_found": len(found.bare),
        }
    return Survey(found.names, counts | boxes)


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


def _tell_names(path: Path, found: Match) -> None:
    unknown = f", {len(found.unknown)} to none (such as {found.unknown[0]})" if found.unknown else ""
    rejected = f", {len(found.rejected)} to rejected ones" if found.rejected else ""
    bare = f", {len(found.bare)} have none (such as {found.bare[0]})" if found.bare else ""
    total = len(found.names) + len(found.unknown) + len(found.rejected)
    log.warning(
        "%s: of %d names %d belong to aligned pairs%s%s; of %d aligned pairs %d have an entry%s",
        *(path, total, len(found.names), rejected, unknown, len(found.names) + len(found.bare), len(found.names), bare),
    )


def _boxes(path: Path, files: BoxFiles, names: Mapping[str, str], pairs: Pairs) -> dict[str, int]:
    """Read the boxes of every pair once; tell and count those that hold nothing."""
    total, counts = 0, {"boxes_unusable": 0, "boxes_outside": 0}
    example: dict[str, str] = {}
    for pair, name in names.items():
        read = files.read(name)
        width, height = pairs.sizes[pair]
        scale = np.tile(np.array((width, height)) / (read.size or (width, height)), 2)
        outside = int((clip(read.boxes * scale, width, height)[:, 2:] <= 0).any(axis=1).sum())
        total += len(read.boxes) + read.unusable
        for key, count in (("boxes_unusable", read.unusable), ("boxes_outside", outside)):
            counts[key] += count
            if count:
                example.setdefault(key, name)
    for key, what in (("boxes_unusable", "have no width or height"), ("boxes_outside", "lie outside their picture")):
        if counts[key]:
            log.warning(
                "%s: %d of %d boxes %s and are left out, such as in %s", path, counts[key], total, what, example[key]
            )
    return {key: count for key, count in counts.items() if count}
