"""Recognise the layout of a folder: which shipped manifest fits it best, and why; or what the nearest ones lack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from pipeline.errors import DataError, some
from pipeline.images import UnreadableImageError
from pipeline.manifests import Manifest, load_manifest, shipped
from pipeline.pairing.discovery.discover import discover
from pipeline.pairing.discovery.folders import AbsentError, contents
from pipeline.pairing.discovery.misfits import missing, oddity
from pipeline.pairing.discovery.sources import load_side
from pipeline.pairing.discovery.tree import Tree

PROBED = 5
"""Sequences looked at before a layout is believed."""
FAULTY = 5
"""How near a layout comes whose folders and pictures are there, but at fault; see :func:`~misfits.missing`."""
TOLD, BELOW = 3, 32
"""Lacks that an error tells, and folders below the root that are tried."""
REMEDY = "write a manifest (docs/data_sets.md)"
ANY_DEPTH, COLLECTION = 6, 7
"""Specificity of the layout that fits nearly everything, and of a collection; others count the letters they fix."""


def manifest_of(root: Path, name: str) -> tuple[Manifest, str]:
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
        DataError: none fits; says which come nearest, and what each lacks.
    """
    tried = [_try(root, manifest) for manifest in _known()]
    fits = [one for one in tried if one.why]
    if not fits:
        raise DataError(_unknown(root, tried))
    best = max(fits, key=lambda one: _rank(root, one.manifest))
    others = [one.manifest.name for one in fits if one is not best]
    return best.manifest, best.why + (f"; also fits {', '.join(others)}" if others else "")


def _known() -> list[Manifest]:
    return [manifest for manifest in shipped() if manifest.kind != "sequences"]


@dataclass(frozen=True)
class _Tried:
    """A layout held against a folder: why it fits, or the error that says otherwise."""

    manifest: Manifest
    why: str = ""
    error: Exception | None = None


def _try(root: Path, manifest: Manifest) -> _Tried:
    """Hold a layout against the first sequences of a folder."""
    try:
        first = list(islice(discover(root, manifest), PROBED))
        if manifest.rule == "channels" and first:
            load_side(root, first[0].pairs[0].tir)
    except (DataError, UnreadableImageError) as error:
        return _Tried(manifest, error=error)
    pairs = sum(len(found.pairs) for found in first)
    alone = [reject for found in first for reject in found.rejects if reject.reason != "absent"]
    if not pairs or pairs < len(alone):
        lone = "".join(f", such as {reject.rgb or reject.tir} ({reject.detail})" for reject in alone[:1])
        return _Tried(manifest, error=DataError(f"{pairs} pairs and {len(alone)} pictures without a partner{lone}"))
    patterns = f"{manifest.rgb} and {manifest.tir}" if manifest.tir else manifest.rgb or ", ".join(manifest.members)
    shown = f"{first[0].sequence} to {first[-1].sequence}" if len(first) > 1 else first[0].sequence
    which = f"a sample, the first {PROBED} sequences" if len(first) == PROBED else f"{len(first)} sequences"
    counts = f"{pairs} pairs and {len(alone)} pictures without a partner"
    return _Tried(manifest, f"{manifest.name}: {counts} in {which} ({shown}), looked for as {patterns}")


def _lack(root: Path, one: _Tried) -> tuple[int, str]:
    """How near a folder comes to a layout, and what is missing, or else the error that ended the look."""
    try:
        near, lack = missing(root, one.manifest)
    except DataError:
        near, lack = FAULTY, ""
    if lack or isinstance(one.error, AbsentError):
        return near, lack
    return FAULTY, str(one.error).removeprefix(f"{root}: ")


def _unknown(root: Path, tried: list[_Tried]) -> str:
    """Why no layout fits: what is odd about the folder, a folder below that fits, or what the nearest layouts lack."""
    said = f"{root}: no known layout fits"
    if odd := oddity(root):
        return f"{said}: {odd}"
    if below := _below(root):
        return f"{said}, but {below[1]} fits {below[0]}: give that as --root"
    lacking = [(*_lack(root, one), one.manifest) for one in tried]
    lacks: dict[str, list[str]] = {}
    for near, lack, manifest in sorted(lacking, key=lambda item: (-item[0], -_specificity(item[2]))):
        if near:
            lacks.setdefault(lack, []).append(manifest.name)
    if not lacks:
        found = f"found {contents(Tree(root))}, and no folder of any of them"
        return f"{said}: {found}: correct --root, call the two folders rgb and tir, or {REMEDY}"
    told = "; ".join(f"{some(names, 3)}: {wrong}" for wrong, names in list(lacks.items())[:TOLD])
    return f"{said}; the nearest are {told}: mend that, or {REMEDY}"


def _below(root: Path) -> tuple[str, Path] | None:
    """A layout that a folder below fits, as when --root is one or two folders too high."""
    tree = Tree(root)
    try:
        children = [PurePosixPath(name) for name in tree.folders("")]
        folders = children + [child / name for child in children for name in tree.folders(str(child))]
    except DataError:
        return None
    for folder in folders[:BELOW]:
        fits = [one for one in (_try(root / folder, manifest) for manifest in _known()) if one.why]
        if fits:
            return max(fits, key=lambda one: _rank(root / folder, one.manifest)).manifest.name, root / folder
    return None


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
