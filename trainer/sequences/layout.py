"""Where the sequences of a data set lie: the look-up that tracking and evaluation share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from glob import escape
from pathlib import Path

from pipeline.errors import UsageError, some
from pipeline.files.names import natural
from pipeline.images.headers import SUFFIXES
from pipeline.manifests import Manifest, load_manifest
from pipeline.next_command import to_type

ANY = "tir_sequences"
"""The manifest of any sequences that lie as those of LSOTB-TIR do."""


def load_layout(dataset: str) -> Manifest:
    """The manifest of a data set of sequences.

    Args:
        dataset: name of a shipped manifest, or a YAML file.

    Raises:
        UsageError: no such manifest, or one of a data set of another kind.
    """
    manifest = load_manifest(dataset)
    if manifest.kind != "sequences":
        listed = to_type("cmd-prep", "manifests")
        raise UsageError(f"--dataset {dataset} is a data set of {manifest.kind}: give one of sequences: {listed}")
    return manifest


def refuse_unknown(manifest: Manifest, only: Sequence[str], known: Sequence[str], option: str = "--sequences") -> None:
    """Refuse names of sequences that nobody knows.

    Raises:
        UsageError: one in ``only`` is not in ``known``.
    """
    if unknown := [name for name in only if name not in known]:
        left_out = " (left out of this data set)" if set(unknown) <= set(manifest.drop) else ""
        raise UsageError(f"{option}: {manifest.name} has no {some(unknown)}{left_out}: correct the names")


def named_by(root: Path, pattern: str) -> Iterator[tuple[str, Path]]:
    """What lies below a root where a pattern with one ``{sequence}`` says: each name, and its file or folder."""
    before, _, after = pattern.partition("{sequence}")
    for path in sorted(root.glob(f"{escape(before)}*{escape(after)}"), key=Path.as_posix):
        yield path.relative_to(root).as_posix().removeprefix(before).removesuffix(after), path


def find_file(root: Path, patterns: Sequence[str], sequence: str) -> Path | None:
    """The first file of a sequence that is there."""
    paths = (root / pattern.format(sequence=sequence) for pattern in patterns)
    return next((path for path in paths if path.is_file()), None)


def find_pictures(root: Path, patterns: Sequence[str], sequence: str) -> list[Path]:
    """A sequence's pictures in natural order; empty when its folder is not there.

    Args:
        root: folder of the pictures.
        patterns: folders below it that may hold them, with ``{sequence}``.
        sequence: its name.
    """
    folders = (root / pattern.format(sequence=sequence) for pattern in (*patterns, "{sequence}"))
    folder = next((folder for folder in folders if folder.is_dir()), None)
    pictures = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES] if folder else []
    return sorted(pictures, key=lambda path: natural(path.name))
