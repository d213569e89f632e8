"""The pairs of one plain data set, one sequence at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import DataError
from pipeline.files.names import natural
from pipeline.manifests import Manifest
from pipeline.pairing.discovery import numbers, rules
from pipeline.pairing.discovery.clips import by_clip
from pipeline.pairing.discovery.folders import AbsentError, Group, fill, groups
from pipeline.pairing.discovery.lists import FrameList, read_map
from pipeline.pairing.discovery.rules import Match
from pipeline.pairing.discovery.sources import VIDEO_SUFFIXES
from pipeline.pairing.discovery.tree import Picture, Tree
from pipeline.records import PairFiles, Reject


@dataclass(frozen=True)
class SequencePairs:
    """The pairs of one sequence in frame order, what was left out of it, and the manifest that speaks for it.

    ``notes`` say what a user should know of how they were found.
    """

    sequence: str
    camera: str
    pairs: list[PairFiles]
    rejects: list[Reject]
    manifest: Manifest
    notes: tuple[str, ...] = ()


def find(root: Path, manifest: Manifest) -> Iterator[SequencePairs]:
    """Sequences of one data set of kind ``pairs``, in natural order.

    Raises:
        AbsentError: no folder fits, or none holds pictures.
        DataError: a list or map file is at fault.
    """
    tree = Tree(root)
    listed = FrameList(root, manifest.lists[manifest.subset]) if manifest.subset else None
    mapping = read_map(root, manifest.map) if manifest.map else {}
    unmet = set(mapping)
    seen: set[str] = set()
    any_frame = False
    for group in groups(tree, manifest):
        for sequence, matches, notes in _sequences(tree, manifest, group, mapping):
            any_frame = True
            if unmet:
                unmet.difference_update(name for match in matches if match.rgb for name in rules.names(match.rgb))
            kept = [match for match in matches if listed is None or listed.has(sequence, match)][:: manifest.stride]
            if not kept:
                continue
            if sequence in seen:
                raise DataError(
                    f"two places give the sequence {sequence!r}: the key {manifest.sequence!r} is too short"
                )
            seen.add(sequence)
            camera = fill(manifest.camera, group.caught, kept[0].frame, sequence)
            yield replace(_found(sequence, camera, kept, manifest), notes=tuple(notes))
    if not any_frame:
        raise AbsentError(
            f"{root}: the folders of layout {manifest.name} are there, but hold no such pictures as "
            f"{' and '.join(filter(None, (manifest.rgb, manifest.tir)))}"
        )
    if listed and not seen:
        raise DataError(f"{root}: list {listed.path} names no frame that is there: first entry {min(listed.entries)!r}")
    if listed and (absent := listed.absent()):
        yield _absent(listed.path, absent, manifest)
    if manifest.map and unmet:
        yield _absent(manifest.map, sorted(unmet, key=natural), manifest)


def _absent(path: str, names: list[str], manifest: Manifest) -> SequencePairs:
    """What a list or map file of the data set names although it is not there, as a sequence of its own."""
    detail = f"{path} names it, but it is not there"
    rejects = [
        Reject(pair_id=name, rgb=None, tir=None, stage="align", reason="absent", detail=detail) for name in names
    ]
    return SequencePairs(path, "", [], rejects, manifest)


def _sequences(
    tree: Tree, manifest: Manifest, group: Group, mapping: dict[str, str]
) -> Iterator[tuple[str, list[Match], list[str]]]:
    """The matches of a group, by sequence, with what should be told of them; a clip is a sequence of its own."""
    rgb, tir = _pictures(tree, manifest, group)
    template = manifest.sequence or "/".join(f"{{{i}}}" for i, name in enumerate(group.caught, 1) if name)
    if manifest.rule == "video":
        template = manifest.sequence or "/".join(filter(None, (template, "{frame}")))
        for clips in rules.by_stem(rgb, tir):
            yield fill(template, group.caught, clips.frame), *by_clip(tree.root, clips)
        return
    sequences: dict[str, list[Match]] = {}
    matches, notes = _matches(manifest, rgb, tir, mapping)
    for match in matches:
        sequences.setdefault(fill(template, group.caught, match.frame) or manifest.name, []).append(match)
    for place, (sequence, own) in enumerate(sorted(sequences.items(), key=lambda item: natural(item[0]))):
        yield sequence, own, [] if place else notes


def _pictures(tree: Tree, manifest: Manifest, group: Group) -> tuple[list[Picture], list[Picture]]:
    """The files of a group on either side; a folder that serves both is read once."""
    files = [(pattern or "").rpartition("/")[2] for pattern in (manifest.rgb, manifest.tir)]
    suffixes = {"suffixes": VIDEO_SUFFIXES} if manifest.rule == "video" else {}
    if group.rgb is not None and group.rgb == group.tir:
        rgb, tir = tree.matching(group.rgb, (files[0], files[1]), **suffixes)
        return rgb, tir
    rgb = [] if group.rgb is None else tree.pictures(group.rgb, files[0], **suffixes)
    return rgb, [] if group.tir is None else tree.pictures(group.tir, files[1], **suffixes)


def _matches(
    manifest: Manifest, rgb: list[Picture], tir: list[Picture], mapping: dict[str, str]
) -> tuple[list[Match], list[str]]:
    """Apply the manifest's rule; also what should be told of it."""
    match manifest.rule:
        case "order":
            return numbers.by_order(rgb, tir)
        case "number":
            return numbers.by_number(rgb, tir, manifest.time or "", manifest.tolerance), []
        case "time":
            return rules.by_time(rgb, tir, manifest.time or "", manifest.tolerance), []
        case "map":
            return rules.by_map(rgb, tir, mapping), []
        case "channels":
            return rules.by_channels(rgb), []
        case _:
            return rules.by_stem(rgb, tir), []


def _found(sequence: str, camera: str, matches: list[Match], manifest: Manifest) -> SequencePairs:
    """Matches as rows.

    Raises:
        DataError: two pairs of the sequence have one name.
    """
    pairs: dict[str, PairFiles] = {}
    rejects = []
    for match in matches:
        pair_id = f"{sequence}/{match.frame}"
        if match.reason is not None or match.rgb is None or match.tir is None:
            reason = match.reason or "missing_counterpart"
            row = Reject(
                pair_id=pair_id, rgb=match.rgb, tir=match.tir, stage="align", reason=reason, detail=match.detail
            )
            rejects.append(row)
            continue
        pair = PairFiles(
            pair_id=pair_id,
            sequence=sequence,
            frame=match.frame,
            camera=camera,
            rgb=match.rgb,
            tir=match.tir,
            timestamp=match.timestamp,
            skew=match.skew,
        )
        if pairs.setdefault(pair_id, pair) is not pair:
            raise DataError(f"two pairs are called {pair_id}: {pairs[pair_id].rgb} and {pair.rgb}: move one away")
    return SequencePairs(sequence, camera, list(pairs.values()), rejects, manifest)
