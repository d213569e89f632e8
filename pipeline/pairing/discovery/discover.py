"""Find the pairs of a data set, or of a collection of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.errors import UsageError
from pipeline.files.names import natural
from pipeline.manifests import Manifest, load_manifest
from pipeline.next_command import to_type
from pipeline.pairing.discovery.dataset import SequencePairs, find
from pipeline.pairing.discovery.folders import AbsentError
from pipeline.pairing.discovery.tree import Tree
from pipeline.records import PairFiles, Reject

__all__ = ["SequencePairs", "discover", "sampled"]


def discover(root: Path, manifest: Manifest) -> Iterator[SequencePairs]:
    """The pairs below a root, one sequence at a time, in an order that depends on names alone.

    Args:
        root: the data set's folder; nothing outside it is read, by links, ``..`` or otherwise.
        manifest: how it lies there; of kind ``pairs`` or ``collection``.

    Yields:
        sequences that hold at least one pair or one reject.

    Raises:
        DataError: no such folder, an empty one, or another layout; says what was looked for and what was found.
        UsageError: the manifest describes sequences for tracking.
    """
    match manifest.kind:
        case "pairs":
            yield from find(root, manifest)
        case "collection":
            yield from _collect(root, manifest)
        case _:
            track = to_type(
                "cmd-track", "--weights", "RUN", "--dataset", manifest.name, "--root", root, "--out", "results"
            )
            raise UsageError(f"manifest {manifest.name} describes TIR sequences to track, not pairs: {track}")


def sampled(root: Path, manifest: Manifest, total: int, count: int) -> Iterator[tuple[SequencePairs, list[PairFiles]]]:
    """Each sequence with those of its pairs that are of a sample, which is spread evenly over all.

    Args:
        root: as for :func:`discover`, and so are errors.
        manifest: likewise.
        total: how many pairs there are.
        count: how many to take; 0 takes all.
    """
    wanted = set(np.linspace(0, total - 1, count).round().astype(int)) if count else None
    seen = 0
    for sequence in discover(root, manifest):
        yield sequence, [pair for i, pair in enumerate(sequence.pairs, seen) if wanted is None or i in wanted]
        seen += len(sequence.pairs)


def _members(root: Path, manifest: Manifest) -> list[tuple[str, str]]:
    """(folder, manifest name) of the members that are there, in natural order of the folder."""
    tree = Tree(root)
    found = [(place, name) for folder, name in manifest.members.items() for _, place in tree.walk(folder.split("/"))]
    return sorted(found, key=lambda member: natural(member[0]))


def _collect(root: Path, manifest: Manifest) -> Iterator[SequencePairs]:
    """The sequences of each member that is there, with its folder in front of every name.

    Raises:
        AbsentError: no member is there.
    """
    members = _members(root, manifest)
    if not members:
        raise AbsentError(f"{root}: no data set of {manifest.name} is there: looked for {', '.join(manifest.members)}")
    for folder, name in members:
        member = load_manifest(name)
        if member.kind != "pairs":
            raise UsageError(f"manifest {manifest.name}: member {name} is of kind {member.kind}, expected pairs")
        for found in find(root / folder, member):
            yield replace(
                found,
                sequence=f"{folder}/{found.sequence}",
                camera=f"{folder}/{found.camera}",
                pairs=[_moved_pair(pair, folder) for pair in found.pairs],
                rejects=[_moved_reject(reject, folder) for reject in found.rejects],
            )


def _moved_pair(pair: PairFiles, folder: str) -> PairFiles:
    names = ("pair_id", "sequence", "camera", "rgb", "tir")
    return pair.model_copy(update={name: f"{folder}/{getattr(pair, name)}" for name in names})


def _moved_reject(reject: Reject, folder: str) -> Reject:
    names = [name for name in ("pair_id", "rgb", "tir") if getattr(reject, name) is not None]
    return reject.model_copy(update={name: f"{folder}/{getattr(reject, name)}" for name in names})
