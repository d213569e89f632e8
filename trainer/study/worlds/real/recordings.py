"""Sequences to test on: what they are of, which are for choosing rates, and which nobody may be tested on."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from pipeline.errors import DataError, UsageError
from pipeline.files.hashing import text_sha256
from pipeline.files.names import natural
from pipeline.images import UnreadableImageError, picture_size, read_bytes
from trainer.sequences import Clip, load_data_set
from trainer.sequences.frames import first_kind
from trainer.sequences.layout import ANY
from trainer.sequences.reach import REACH, within_reach
from trainer.sequences.rows import read_lines
from trainer.sequences.start_box import can_be_of
from trainer.study.worlds.real.scenes import Looks, groups, looks

SHARE, FEWEST = 0.1, 2
"""Of the scenes, for choosing rates where nobody says which; and so many at least."""


@dataclass(frozen=True, eq=False)
class Recordings:
    """What the tests are made of.

    Attributes:
        root: folder of the sequences.
        sequences: those that have two instants with a known target, by name.
        clips: sequence -> the recording that it is of, which intervals draw by.
        looks: sequence -> some of its frames, to tell what scene it shows.
        unused: sequence -> why it is none of ``sequences``.
    """

    root: Path
    sequences: Mapping[str, Clip]
    clips: Mapping[str, str]
    looks: Mapping[str, Looks]
    unused: Mapping[str, str]

    def scenes(self, names: Iterable[str]) -> list[list[str]]:
        """Sequences of one recording, or of recordings that show one scene, together; in the order of their names."""
        wanted = sorted(names, key=natural)
        first: dict[str, str] = {}
        for name in wanted:
            first.setdefault(self.clips[name], name)
        together = groups({clip: np.concatenate([self.looks[name] for name in wanted if self.clips[name] == clip])
                           for clip in first})  # fmt: skip
        found = [[name for name in wanted if self.clips[name] in scene] for scene in together]
        return sorted(found, key=lambda scene: natural(scene[0]))

    def frames(self, names: Iterable[str]) -> int:
        """Frames of some sequences."""
        return sum(len(self.sequences[name].pictures) for name in names)

    def digest(self) -> str:
        """A hash of names, sizes of frames and truth."""
        return text_sha256("\n".join(
            f"{name} {self.clips[name]} {_boxes(clip)} {' '.join(str(path.stat().st_size) for path in clip.pictures)}"
            for name, clip in self.sequences.items()
        ))  # fmt: skip


def read_recordings(root: Path, clips: Path | None) -> Recordings:
    """Look through sequences.

    Args:
        root: their folder.
        clips: a table with a sequence and its clip on each line; those that it does not name are each their own.

    Raises:
        DataError: no sequence can be tested on, or the table cannot be read.
        UsageError: the table names a sequence that is not there.
    """
    data = load_data_set(ANY, root)
    unused = dict(data.faults)
    sequences: dict[str, Clip] = {}
    for clip in data.clips:
        if why := _fault(clip):
            unused[clip.name] = why
        else:
            sequences[clip.name] = clip
    if not sequences:
        name, why = next(iter(unused.items()))
        raise DataError(f"--test {root}: none of {len(unused)} sequences can be tested on, such as {name}: {why}")
    table = read_clips(clips, [*sequences, *unused]) if clips else {}
    return Recordings(
        root,
        sequences,
        {name: table.get(name, name) for name in sequences},
        {name: looks(clip.pictures) for name, clip in sequences.items()},
        unused,
    )


def read_clips(path: Path, known: Sequence[str]) -> dict[str, str]:
    """Sequence -> clip of a table with two columns; a first line ``sequence,clip`` is its head.

    Raises:
        DataError: unreadable, or a line that has not two columns; the message names it.
        UsageError: a sequence that is not there, or is there twice.
    """
    found: dict[str, str] = {}
    for number, cells in enumerate(csv.reader(read_lines(path)), 1):
        words = [cell.strip() for cell in cells]
        if not any(words) or (number == 1 and words == ["sequence", "clip"]):
            continue
        if len(words) != 2 or not all(words):
            raise DataError(f"{path}:{number}: expected a sequence and its clip, as in walker_1,walker")
        if words[0] in found or words[0] not in known:
            what = "named twice" if words[0] in found else "no sequence of --test"
            raise UsageError(f"--clips {path}:{number}: {words[0]} is {what}: correct it")
        found[words[0]] = words[1]
    return found


def chosen(recordings: Recordings, select: str | None, names: Sequence[str]) -> list[str]:
    """The sequences on which rates are chosen.

    Args:
        recordings: all of them.
        select: names with commas between them, ``*`` for any letters, or a file with one a line; None draws a tenth of
            the scenes, two at least, by the hash of the name of each.
        names: those that it may be.

    Raises:
        UsageError: a name that fits no sequence, or so few scenes that none would be left to test on.
    """
    scenes = recordings.scenes(names)
    if select is None:
        count = max(FEWEST, round(SHARE * len(scenes)))
        drawn = sorted(scenes, key=lambda scene: text_sha256(recordings.clips[scene[0]]))[:count]
        found = {name for scene in drawn for name in scene}
    else:
        given = [line.strip() for line in read_lines(Path(select))] if Path(select).is_file() else select.split(",")
        patterns = [pattern.strip() for pattern in given if pattern.strip()]
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in (*names, *recordings.unused)):
                raise UsageError(f"--select: no sequence of {recordings.root} is called {pattern}: correct it")
        found = {name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)}
    if not found or len(found) == len(names):
        raise UsageError(
            f"--test {recordings.root}: {len(names)} sequences of {len(scenes)} scenes, {len(found)} of them to choose "
            "rates on: both choosing and testing need some"
        )
    return sorted(found, key=natural)


def folds(scenes: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
    """Two halves, about as large; no scene is in both. In the order of names, so that each has some of every kind."""
    halves: tuple[list[str], list[str]] = ([], [])
    for scene in scenes:
        min(halves, key=len).extend(scene)
    return halves


def _fault(clip: Clip) -> str:
    """Why a sequence cannot be tested on at two instants; empty where it can."""
    try:
        size = picture_size(read_bytes(clip.pictures[0]), str(clip.pictures[0]))
    except UnreadableImageError as error:
        return str(error)
    known = np.flatnonzero(can_be_of(clip.truth, size))
    if first_kind(clip.pictures[0]) == "colour":
        return "in colour, not TIR in grey"
    return "" if len(within_reach(known)) else f"its target is not known at two instants, {REACH} frames apart at most"


def _boxes(clip: Clip) -> str:
    return text_sha256(clip.truth.tobytes().hex())
