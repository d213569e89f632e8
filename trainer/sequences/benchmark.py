"""The benchmark that trackers are measured on: its sequences, their ground truth and their attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError, UsageError, some
from pipeline.files.nearby import nearby
from pipeline.manifests import Manifest
from trainer.sequences.box_file import BoxFile, oddities, read_boxes
from trainer.sequences.layout import ANY, find_file, load_layout, named_by, refuse_unknown
from trainer.sequences.rows import Boxes, read_rows, valid


@dataclass(frozen=True)
class Benchmark:
    """What is evaluated.

    Attributes:
        manifest: the data set's manifest.
        sequences: names of the N sequences, in the benchmark's order.
        truth: ground truth (T, 4) of each; empty when only published curves are read.
        attributes: for each attribute, which of the N sequences (N,) have it.
        warnings: what a reader of the scores must know.
        others: sequences of the data set that are not evaluated, for whatever reason.
    """

    manifest: Manifest
    sequences: tuple[str, ...]
    truth: Mapping[str, Boxes]
    attributes: Mapping[str, NDArray[np.bool_]]
    warnings: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Scores that the protocol has; PTB-TIR's has no normalized precision."""
        names = ("success", "precision", "normalized_precision")
        return names if self.manifest.protocol == "lsotb_tir" else names[:2]

    def known(self) -> frozenset[str]:
        """Every sequence of the data set, evaluated or not."""
        return self.others.union(self.manifest.sequences, self.sequences)


def load_benchmark(
    dataset: str, annotations: Path | None, attributes: Path | None = None, only: Sequence[str] = ()
) -> Benchmark:
    """Load sequence names, ground truth and attributes.

    Args:
        dataset: name of a shipped manifest of sequences, or a YAML file.
        annotations: folder of ground truth, ``<sequence>.txt`` or laid out as the manifest says.
        attributes: folder of attribute flags; default: what lies with the annotations, if anything.
        only: names of the sequences to evaluate; none: all.

    Raises:
        UsageError: not a tracking data set, or a name in ``only`` that it does not have.
        DataError: a folder or file is missing or unreadable, named.
    """
    manifest = load_layout(dataset)
    for option, folder in (("--annotations", annotations), ("--attributes", attributes)):
        if folder and not folder.is_dir():
            raise DataError(f"{folder}: no such folder: correct {option}")
    there = tuple(manifest.evaluated()) or _discover(manifest, annotations)
    refuse_unknown(manifest, only, there)
    names = tuple(name for name in there if name in only) if only else there
    warnings: list[str] = []
    truth: dict[str, Boxes] = {}
    if annotations:
        files = {name: find_file(annotations, manifest.truth, name) for name in names}
        names = _with_truth(manifest, files, annotations, bool(only), warnings)
        read = {name: _read_truth(path, manifest, name, warnings) for name, path in files.items() if path}
        warnings += oddities(read, "ground truth")
        names = _measurable(names, files, read, bool(only), warnings)
        truth = {name: read[name].boxes for name in names}
    flags = _read_attributes(manifest, names, annotations, attributes, warnings)
    return Benchmark(manifest, names, truth, flags, tuple(warnings), frozenset(there) - set(names))


def _discover(manifest: Manifest, annotations: Path | None) -> tuple[str, ...]:
    """Names of the sequences whose ground truth is there, for a manifest that lists none."""
    if annotations is None:
        raise UsageError(f"--dataset {manifest.name} lists no sequences: give --annotations")
    for pattern in manifest.truth:
        if names := tuple(name for name, _ in named_by(annotations, pattern)):
            if timed := next((name for name in names if f"{name}_time" in names), None):
                raise DataError(
                    f"{annotations} holds results ({timed}_time.txt), not ground truth: correct --annotations"
                )
            return names
    raise DataError(f"{annotations} holds no ground truth ({', '.join(manifest.truth)}): correct --annotations")


def _with_truth(
    manifest: Manifest, files: Mapping[str, Path | None], folder: Path, named: bool, warnings: list[str]
) -> tuple[str, ...]:
    """Names whose ground truth is there; a part of a benchmark is scored as such, but never in silence."""
    missing = [name for name, path in files.items() if path is None]
    if missing and (named or len(missing) == len(files)):
        others = "" if named else _others(manifest, folder)
        raise DataError(
            f"{folder / missing[0]}.txt: no such file, nor <sequence>/groundtruth_rect.txt: {others}get the truth"
        )
    if missing:
        warnings.append(
            f"no ground truth for {len(missing)} of {len(files)} sequences ({some(missing)}): scores are of the other "
            f"{len(files) - len(missing)}, not the benchmark's"
        )
    return tuple(name for name, path in files.items() if path)


def _others(manifest: Manifest, folder: Path) -> str:
    """What is said of a folder with the truth of none of the sequences: that it has others', or which folder was meant.

    What is said ends with a space; it is empty where nothing helps.
    """
    held = sorted({name for pattern in manifest.truth for name, _ in named_by(folder, pattern)})
    if held:
        return f"it holds other sequences ({some(held)}), which --dataset {ANY} takes, or "
    # Not <sequence>.txt: so are results called, and flags of attributes.
    own = [pattern for pattern in manifest.truth if "/" in pattern]
    return nearby(folder, lambda near: any(find_file(near, own, name) for name in manifest.evaluated()))


def _measurable(
    names: tuple[str, ...],
    files: Mapping[str, Path | None],
    read: Mapping[str, BoxFile],
    named: bool,
    warnings: list[str],
) -> tuple[str, ...]:
    """Names of which more than the first box is known: a tracker is given that one, so it measures nothing."""
    bare = [name for name in names if np.count_nonzero(valid(read[name].boxes)) < 2]
    if bare and (named or len(bare) == len(names)):
        raise DataError(
            f"{files[bare[0]]}: holds the first box alone, which a tracker is given: get the truth of all frames to "
            "measure it"
        )
    if bare:
        warnings.append(
            f"only the first box is known of {len(bare)} of {len(names)} sequences ({some(bare)}): nothing to measure, "
            f"scores are of the other {len(names) - len(bare)}"
        )
    return tuple(name for name in names if name not in bare)


def _read_truth(path: Path, manifest: Manifest, sequence: str, warnings: list[str]) -> BoxFile:
    file = read_boxes(path)
    boxes = file.boxes
    expected = manifest.sequences.get(sequence, len(boxes))
    if len(boxes) != expected:
        warnings.append(f"{path}: {len(boxes)} rows, {manifest.name} has {expected}: annotations of another release?")
    if not valid(boxes).any():
        raise DataError(f"{path}: no frame has a box with x, y, w and h above 0: nothing to evaluate")
    return file


def _read_attributes(
    manifest: Manifest, names: Sequence[str], annotations: Path | None, folder: Path | None, warnings: list[str]
) -> dict[str, NDArray[np.bool_]]:
    """Flags of the sequences by attribute; empty when no file is there and none was asked for."""
    patterns = manifest.attribute_files
    if folder is None:
        # In the annotations' own folder <sequence>.txt is the ground truth.
        folder, patterns = annotations, tuple(p for p in patterns if p not in manifest.truth)
    files = {name: find_file(folder, patterns, name) if folder else None for name in names}
    missing = [name for name, path in files.items() if path is None]
    if len(missing) == len(files):
        return {}
    if missing:
        warnings.append(f"no attributes for {len(missing)} sequences ({some(missing)}): they count for none")
    table = np.zeros((len(names), len(manifest.attributes)), dtype=bool)
    for row, path in enumerate(files.values()):
        if path:
            table[row] = read_rows(path, len(manifest.attributes))[0] > 0
    return dict(zip(manifest.attributes, table.T))
