"""Data-set manifests: one short YAML says how a data set lies on disk and what is known of it.

Shipped manifests are package data (``data_manifests/*.yaml``); a user's own is any YAML file with the same keys. The
pattern language of ``rgb`` and ``tir`` is described in ``docs/data_sets.md``.
"""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from pipeline.config import Settings
from pipeline.errors import UsageError, did_you_mean, first_fault
from pipeline.files.yaml_text import parse_yaml
from pipeline.records import Matrix9, inside_root

MAX_EXTENDS = 8
"""Longest chain of ``extends``."""

Rule = Literal["stem", "order", "number", "time", "map", "channels", "video"]
Prior = Literal["identity", "matrix", "sequence", "pair"]
Inside = Annotated[str, Field(min_length=1), AfterValidator(inside_root)]
_NEEDED = {"pairs": ("rgb",), "sequences": ("frames", "truth"), "collection": ("members",)}


def _with_frame(pattern: str) -> str:
    """A picture pattern: folders, then a file name in which every alternative holds ``{frame}`` once."""
    *folders, name = pattern.split("/")
    if any(part.count("{frame}") != 1 or "*" in part for part in name.split("|")) or "{" in "".join(folders):
        raise ValueError(f"pattern {pattern!r} must end in a file name with one {{frame}} and no *")
    if not all(folders):
        raise ValueError(f"pattern {pattern!r} has an empty folder name")
    return pattern


Pattern = Annotated[Inside, AfterValidator(_with_frame)]

LEAST_SPAN = 8
"""Raw values that the bulk of a 16-bit frame spans at least; one that spans fewer shows nothing: a closed shutter."""


class Percentiles(Settings):
    """Range policy for 16-bit TIR: percentiles of the raw values of a whole sequence.

    The upper one is close to 100 because the targets, people and engines, are few and hot pixels.
    """

    percentiles: tuple[Annotated[float, Field(ge=0, le=100)], Annotated[float, Field(ge=0, le=100)]] = (1.0, 99.9)


class Manifest(Settings):
    """How one data set lies on disk, and what is known of it.

    Attributes:
        name: what ``--manifest`` calls it.
        title: its name in the literature.
        kind: image ``pairs``, TIR ``sequences`` to track, or a ``collection`` of pair data sets under one root.
        source: paper or owner, in words.
        licence: the data's own terms, in words; the pictures never ship.
        note: anything a user should know before trusting it.
        counts: expected number of ``pairs``, or of each list; a difference is a warning.
        rule: how pictures become pairs: equal ``stem`` modulo what the patterns spell out, equal numbers or else sorted
            ``order`` with equal counts, equal last ``number`` at one time, nearest ``time``, a ``map`` file, four
            ``channels`` of one file, or frames of two ``video`` clips.
        rgb: pattern of the visible pictures.
        tir: pattern of the thermal pictures; none for ``channels``.
        sequence: template of the sequence's name; default: what the wildcards caught.
        camera: template of the rig's name; pairs of one camera may share one matrix. Default: the sequence.
        stride: keep every n-th frame of a sequence.
        lists: files of frame names below the root (or folders with one file a frame), by name; ``NAME:LIST`` picks one.
        subset: the list in use, empty for all pairs.
        map: file below the root that maps visible to thermal names (JSON object or two columns).
        time: how ``{frame}`` holds the time: a strptime format, or ``seconds``, ``milliseconds``, ``microseconds``,
            ``nanoseconds``; for ``number``, how what stands before the number does.
        tolerance: largest distance in seconds of two pictures of a pair, for ``time`` and ``number``.
        depth: bits of a stored thermal pixel.
        tir_range: raw 16-bit values that become 0 and 255, or the percentiles of the sequence that do.
        prior: what is known of the alignment: ``identity`` (registered by its makers), a stored ``matrix``, one rig for
            the ``sequence`` (estimate once a camera), or nothing (estimate each ``pair``).
        matrix: TIR pixel -> RGB pixel, row-major, pixel centres; for ``matrix``.
        frames: folders that may hold the pictures of ``{sequence}``, in order of preference.
        truth: files that may hold its ground truth.
        attribute_files: files that may hold its attribute flags.
        attributes: names of the attributes, in the files' order.
        sequences: sequence names in the benchmark's order, with their number of frames; empty: whatever is there.
        drop: sequences that a manifest leaves out of what it extends.
        protocol: the evaluation protocol.
        members: folder of each data set in a collection, and its manifest.
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    kind: Literal["pairs", "sequences", "collection"]
    source: str
    licence: str
    note: str = ""
    counts: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)

    rule: Rule = "stem"
    rgb: Pattern | None = None
    tir: Pattern | None = None
    sequence: str | None = None
    camera: str = "{sequence}"
    stride: int = Field(default=1, ge=1)
    lists: dict[str, Inside] = Field(default_factory=dict)
    subset: str = ""
    map: Inside | None = None
    time: str | None = None
    tolerance: float = Field(default=0.0, ge=0)
    depth: int = Field(default=8, ge=8, le=16)
    tir_range: tuple[float, float] | Percentiles = Percentiles()
    prior: Prior = "pair"
    matrix: Matrix9 | None = None

    frames: tuple[Inside, ...] = ()
    truth: tuple[Inside, ...] = ()
    attribute_files: tuple[Inside, ...] = ()
    attributes: tuple[str, ...] = ()
    sequences: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    drop: tuple[str, ...] = ()
    protocol: Literal["lsotb_tir", "ptb_tir"] = "lsotb_tir"

    members: dict[Inside, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = list(_NEEDED[self.kind])
        if self.kind == "pairs":
            needed += [] if self.rule == "channels" else ["tir"]
            needed += [self.rule] if self.rule in ("time", "map") else ["time"] if self.rule == "number" else []
            needed += ["matrix"] if self.prior == "matrix" else []
        if missing := [key for key in needed if not getattr(self, key)]:
            raise ValueError(f"kind {self.kind} with rule {self.rule} needs {', '.join(missing)}")
        if self.subset and self.subset not in self.lists:
            raise ValueError(f"has no list {self.subset!r}: known are {', '.join(self.lists) or 'none'}")
        if isinstance(self.tir_range, tuple) and self.tir_range[0] >= self.tir_range[1]:
            raise ValueError("tir_range must be low, high")
        if unknown := [name for name in self.drop if name not in self.sequences]:
            raise ValueError(f"drop names no sequence: {', '.join(unknown)}")
        return self

    def expected(self) -> int | None:
        """Pairs that the whole data set, or the list in use, should have; None if nobody says."""
        return self.counts.get(self.subset or "pairs")

    def evaluated(self) -> dict[str, int]:
        """Sequences to evaluate with their number of frames, in the benchmark's order, without the dropped ones."""
        return {name: frames for name, frames in self.sequences.items() if name not in self.drop}


def _shipped() -> dict[str, Traversable]:
    """Shipped manifest files by name, sorted."""
    entries = (entry for entry in files("data_manifests").iterdir() if entry.name.endswith(".yaml"))
    return {entry.name.removesuffix(".yaml"): entry for entry in sorted(entries, key=lambda entry: entry.name)}


def _locate(reference: str, base: Path) -> tuple[Path | Traversable, str]:
    """The file that a name or a path (relative to ``base``) means, and what to call it in an error."""
    known = _shipped()
    if reference in known:
        return known[reference], reference
    if re.search(r"[/\\]|\.ya?ml$", reference):
        return base / reference, reference
    raise UsageError(
        f"no manifest {reference!r}: {did_you_mean(reference, known)}Known are {', '.join(known)}; or give a YAML file"
    )


def _resolve(reference: str, base: Path, depth: int = 0) -> dict[str, object]:
    """The raw keys of a manifest, on top of those of what it extends."""
    if depth > MAX_EXTENDS:
        raise UsageError(f"manifest {reference}: more than {MAX_EXTENDS} levels of 'extends': does it extend itself?")
    path, where = _locate(reference, base)
    content = parse_yaml(path, f"manifest {where}")
    folder = path.parent if isinstance(path, Path) else base
    members = content.get("members")
    if isinstance(members, dict):
        own = re.compile(r"[/\\]|\.ya?ml$")
        content["members"] = {
            key: str(folder / value) if isinstance(value, str) and own.search(value) else value
            for key, value in members.items()
        }
    parent = content.pop("extends", None)
    return _resolve(str(parent), folder, depth + 1) | content if parent else content


def load_manifest(name_or_path: str) -> Manifest:
    """Load a manifest.

    Args:
        name_or_path: a shipped name (``kaist``) or a YAML file, optionally with a list of its (``kaist:sanitized``).

    Raises:
        UsageError: nothing of that name (the known ones are listed), or a fault in the file, named with its key.
    """
    head, colon, subset = name_or_path.rpartition(":")
    if not colon or re.search(r"[/\\]", subset):
        head, subset = name_or_path, ""
    raw = _resolve(head, Path())
    try:
        return Manifest.model_validate(raw | ({"subset": subset} if subset else {}))
    except ValidationError as error:
        key, message, _, kind = first_fault(error)
        said = f"{key} {message.removeprefix('Value error, ')}".strip()
        fault = f"unknown key {key!r}" if kind == "extra_forbidden" else said
        raise UsageError(f"manifest {head}: {fault}: see docs/data_sets.md for the keys") from error


def shipped() -> list[Manifest]:
    """All manifests that ship with the package, by name."""
    return [load_manifest(name) for name in _shipped()]
