"""The sequences to track: pictures and ground truth of a data set as it lies on disk. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.errors import DataError, some
from pipeline.files.names import natural
from pipeline.files.nearby import nearby
from pipeline.images.headers import SUFFIXES
from pipeline.manifests import Manifest
from trainer.sequences.box_file import BoxFile, oddities, read_boxes
from trainer.sequences.layout import find_file, find_pictures, load_layout, named_by, refuse_unknown
from trainer.sequences.numbering import odd_numbers
from trainer.sequences.rows import Boxes, valid
from trainer.sequences.start_box import check_start


@dataclass(frozen=True, eq=False)
class Clip:
    """One sequence, from the frame on at which a tracker is started.

    Attributes:
        name: its name.
        pictures: T frames, in order.
        truth: ground truth (T, 4), x, y, w, h in pixels; the first row is the box to start with.
        source: its file, resolved.
    """

    name: str
    pictures: tuple[Path, ...]
    truth: Boxes
    source: Path

    def first(self, count: int) -> Clip:
        """The same with ``count`` frames at most."""
        return replace(self, pictures=self.pictures[:count], truth=self.truth[:count])


@dataclass(frozen=True)
class DataSet:
    """What was found.

    Attributes:
        manifest: how the data set lies on disk.
        clips: the sequences that can be tracked, in the benchmark's order, then by name.
        faults: what is wrong with each of those that cannot, by name.
        missing: names that the manifest lists and the folder lacks.
        unlisted: names that are there and that the manifest does not list.
        warnings: how the folder differs from the manifest.
    """

    manifest: Manifest
    clips: tuple[Clip, ...]
    faults: Mapping[str, str]
    missing: tuple[str, ...]
    unlisted: tuple[str, ...]
    warnings: tuple[str, ...]

    def first(self, count: int | None) -> DataSet:
        """The same with ``count`` frames of each sequence at most; None is all."""
        return self if count is None else replace(self, clips=tuple(clip.first(count) for clip in self.clips))


def load_data_set(
    dataset: str, root: Path, only: Sequence[str] = (), options: tuple[str, str] = ("--root", "--sequences")
) -> DataSet:
    """Find sequences in the layout of a manifest: those it names, and any others that lie there.

    Args:
        dataset: name of a shipped manifest of sequences, or a YAML file.
        root: the data set's folder.
        only: names of the sequences to take; none: all.
        options: of the command that name the folder and the sequences, for messages.

    Raises:
        UsageError: not a tracking data set, or a name in ``only`` that is neither in it nor there.
        DataError: no such folder, no sequence in it, or not those of ``only``.
    """
    manifest = load_layout(dataset)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder: correct {options[0]}")
    present = _discover(manifest, root)
    listed = manifest.evaluated()
    missing = tuple(name for name in listed if name not in present)
    unlisted = tuple(sorted(present - manifest.sequences.keys()))
    here = [*(name for name in listed if name in present), *unlisted]
    warnings: list[str] = []
    if only:
        _check_names(manifest, root, here, only, options)
        here = [name for name in here if name in only]
    elif not here:
        meant = nearby(root, lambda near: near.is_dir() and _discover(manifest, near))
        raise DataError(
            f"{root}: no sequence in the layout of {manifest.name} ({_places(manifest)}): {meant}correct {options[0]}"
        )
    else:
        warnings += _differences(manifest, root, missing, unlisted)
    clips: list[Clip] = []
    faults: dict[str, str] = {}
    files: dict[str, BoxFile] = {}
    for name in here:
        try:
            clips.append(_load(manifest, root, name, files, warnings))
        except DataError as error:
            faults[name] = str(error)
    warnings += oddities(files, "ground truth")
    return DataSet(manifest, tuple(clips), faults, missing, unlisted, tuple(warnings))


def _check_names(
    manifest: Manifest, root: Path, here: Sequence[str], only: Sequence[str], options: tuple[str, str]
) -> None:
    """Refuse names that cannot be tracked: those nobody knows, and those whose pictures are not there."""
    refuse_unknown(manifest, only, [*here, *manifest.evaluated()], options[1])
    if absent := [name for name in only if name not in here]:
        raise DataError(f"{root}: no pictures of {some(absent)} ({_places(manifest)}): correct {options[0]}")


def _differences(manifest: Manifest, root: Path, missing: Sequence[str], unlisted: Sequence[str]) -> list[str]:
    """How a folder's names differ from the manifest's; one that has none of them merely shares the layout."""
    count = len(manifest.evaluated())
    lines = []
    if 0 < len(missing) < count:
        names = some(missing)
        lines.append(f"{root} lacks {len(missing)} of the {count} sequences of {manifest.name}: {names}")
    if count and unlisted:
        names = some(unlisted)
        lines.append(f"{len(unlisted)} sequences are not {manifest.name}'s, taken too: {names}")
    return lines


def _places(manifest: Manifest) -> str:
    return ", ".join(manifest.frames)


def _discover(manifest: Manifest, root: Path) -> set[str]:
    """Names below the root that have a folder with pictures in it, or ground truth in a folder of their own."""
    names = set[str]()
    for pattern in (*manifest.frames, *(truth for truth in manifest.truth if "{sequence}/" in truth)):
        for name, path in named_by(root, pattern):
            holds = path.is_file() or (path.is_dir() and any(map(_is_picture, path.iterdir())))
            if holds and not name.startswith("."):
                names.add(name)
    return names


def _is_picture(path: Path) -> bool:
    """Whether a file is a frame, and not what file managers leave beside them (``._0001.jpg``, ``Thumbs.db``)."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _refuse_twins(pictures: Sequence[Path]) -> None:
    """Refuse frames in natural order two of which have one number, as ``1.jpg`` and ``01.jpg``.

    Raises:
        DataError: there are such; which of them is the frame only who put them there can say.
    """
    for one, other in pairwise(pictures):
        if natural(one.stem)[0] == natural(other.stem)[0]:
            raise DataError(f"{one}: {other.name} beside it has the same name or number: keep what is the frame")


def _refuse_two_places(manifest: Manifest, root: Path, name: str) -> None:
    """Refuse two folders of frames, in two layouts, that stand for one sequence.

    Raises:
        DataError: there are; which of them is meant only who put them there can say.
    """
    folders = [root / pattern.format(sequence=name) for pattern in manifest.frames]
    held = {each.resolve(): each for each in folders if each.is_dir() and any(map(_is_picture, each.iterdir()))}
    if len(held) > 1:
        raise DataError(f"{' and '.join(map(str, held.values()))}: both hold frames of {name}: keep those of one")


def _load(manifest: Manifest, root: Path, name: str, files: dict[str, BoxFile], warnings: list[str]) -> Clip:
    """One sequence, checked; its truth is added to ``files``, what is odd about it to ``warnings``.

    Raises:
        DataError: no ground truth, no pictures, unequal numbers of them, or no box to start with in the first picture.
    """
    file = find_file(root, manifest.truth, name)
    if file is None:
        raise DataError(f"{root / manifest.truth[0].format(sequence=name)}: no such file: get the ground truth")
    files[name] = read_boxes(file)
    truth = files[name].boxes
    pictures = list(filter(_is_picture, find_pictures(root, manifest.frames, name)))
    _refuse_twins(pictures)
    _refuse_two_places(manifest, root, name)
    if len(truth) == 1 < len(pictures):
        warnings.append(f"{name}: only the first box is known: enough to track from, but cmd-eval needs the others")
        truth = np.concatenate([truth, np.full((len(pictures) - 1, 4), np.nan)])
    if len(pictures) != len(truth):
        folder = pictures[0].parent if pictures else root / manifest.frames[0].format(sequence=name)
        raise DataError(
            f"{folder}: {len(pictures)} pictures for {len(truth)} rows of {file}: restore what is missing (a "
            "last frame without a target is a row NaN,NaN,NaN,NaN)"
        )
    if odd := odd_numbers(pictures):
        warnings.append(f"{name}: {odd}: is each row of {file.name} that of the picture in its place?")
    expected = manifest.sequences.get(name, len(truth))
    if len(truth) != expected:
        warnings.append(f"{name}: {len(truth)} frames, {manifest.name} has {expected}: another release, or other data")
    starts = np.flatnonzero(valid(truth))
    if not len(starts):
        raise DataError(f"{file}: no frame has a box with x, y, w and h above 0: nothing to start with")
    start = int(starts[0])
    if start:
        warnings.append(f"{name}: frame 1 has no valid box, begun at frame {start + 1} as the toolkit does")
    if odd := check_start(truth[start], pictures[start], f"{file}:{start + 1}"):
        warnings.append(f"{name}: {odd}")
    return Clip(name, tuple(pictures[start:]), truth[start:], file.resolve())
