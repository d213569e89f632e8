"""Find the pairs of a data set, a collection of them, or of a folder whose layout has first to be recognised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from pipeline.errors import DataError, UsageError
from pipeline.files.names import natural
from pipeline.images import UnreadableImageError
from pipeline.manifests import Manifest, load_manifest, shipped
from pipeline.pairing.discovery.dataset import SequencePairs, find
from pipeline.pairing.discovery.sources import load_side
from pipeline.pairing.discovery.tree import Tree
from pipeline.records import PairFiles, Reject

__all__ = ["SequencePairs", "discover", "recognise", "resolve"]

PROBED = 5
"""Sequences looked at before a layout is believed."""
ANY_DEPTH, COLLECTION = 6, 7
"""Specificity of the layout that fits nearly everything, and of a collection; others count the letters they fix."""


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
            raise UsageError(f"manifest {manifest.name} describes TIR sequences for cmd-track, not pairs")


def _members(root: Path, manifest: Manifest) -> list[tuple[str, str]]:
    """(folder, manifest name) of the members that are there, in natural order of the folder."""
    tree = Tree(root)
    found = [(place, name) for folder, name in manifest.members.items() for _, place in tree.walk(folder.split("/"))]
    return sorted(found, key=lambda member: natural(member[0]))


def _collect(root: Path, manifest: Manifest) -> Iterator[SequencePairs]:
    """The sequences of each member that is there, with its folder in front of every name.

    Raises:
        DataError: no member is there.
    """
    members = _members(root, manifest)
    if not members:
        raise DataError(f"{root}: no data set of {manifest.name} is there: looked for {', '.join(manifest.members)}")
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


def resolve(root: Path, name: str) -> tuple[Manifest, str]:
    """The manifest that a name or file means, or for ``auto`` the one that fits the folder; and why, in one sentence.

    Raises:
        UsageError: as :func:`pipeline.manifests.load_manifest`.
        DataError: as :func:`recognise`.
    """
    return recognise(root) if name == "auto" else (load_manifest(name), f"{name}: as told")


def recognise(root: Path) -> tuple[Manifest, str]:
    """Find the shipped manifest that a folder fits best.

    Of those under which at least half of the pictures of the first sequences pair up, the one wins whose name is in the
    folder's name, then one that pairs by name and not by mere order, then the one that fixes most letters.

    Returns:
        the manifest, and why, in one sentence.

    Raises:
        DataError: none fits; says what was tried.
    """
    Tree(root)
    known = [manifest for manifest in shipped() if manifest.kind != "sequences"]
    fits = [(manifest, why) for manifest in known if (why := _fit(root, manifest))]
    if not fits:
        entries, names = Tree(root).scan("")
        tried = ", ".join(manifest.name for manifest in known)
        raise DataError(
            f"{root}: no known layout fits its {len(entries)} folders and {len(names)} files: tried {tried}; "
            "write a manifest (docs/data_sets.md)"
        )
    manifest, why = max(fits, key=lambda fit: _rank(root, fit[0]))
    others = [other.name for other, _ in fits if other is not manifest]
    return manifest, why + (f"; also fits {', '.join(others)}" if others else "")


def _fit(root: Path, manifest: Manifest) -> str:
    """Why a folder fits a manifest, or an empty string where it does not."""
    try:
        first = list(islice(discover(root, manifest), PROBED))
        if manifest.rule == "channels" and first:
            load_side(root, first[0].pairs[0].tir)
    except (DataError, UnreadableImageError):
        return ""
    pairs = sum(len(found.pairs) for found in first)
    alone = sum(reject.reason != "absent" for found in first for reject in found.rejects)
    if not pairs or pairs < alone:
        return ""
    patterns = f"{manifest.rgb} and {manifest.tir}" if manifest.tir else manifest.rgb or ", ".join(manifest.members)
    shown = f"{first[0].sequence} to {first[-1].sequence}" if len(first) > 1 else first[0].sequence
    which = f"a sample, the first {PROBED} sequences" if len(first) == PROBED else f"{len(first)} sequences"
    found = f"{pairs} pairs and {alone} pictures without a partner"
    return f"{manifest.name}: looked for as {patterns}; in {which} ({shown}): {found}"


def _rank(root: Path, manifest: Manifest) -> tuple[bool, bool, int]:
    """Sort key of layouts that all fit: the largest is the one to believe."""
    return _named(root, manifest), manifest.rule != "order", _specificity(manifest)


def _named(root: Path, manifest: Manifest) -> bool:
    """Whether the folder is called after the data set."""
    if manifest.name in ("pairs", "collection"):
        return False
    return manifest.name.replace("_", "") in re.sub(r"[\W_]", "", root.resolve().name.casefold())


def _specificity(manifest: Manifest) -> int:
    """Letters that a layout fixes: the more, the less likely it fits by chance."""
    if manifest.kind == "collection":
        return COLLECTION
    segments = "/".join(filter(None, (manifest.rgb, manifest.tir, manifest.map))).split("/")
    if "**" in segments:
        return ANY_DEPTH
    fixed = [re.sub(r"\{frame\}|[^a-zA-Z|]", "", segment) for segment in segments if not segment.endswith("?")]
    return sum(min(map(len, segment.split("|"))) for segment in fixed)
