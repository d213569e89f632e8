"""Which of the names in a file of boxes belongs to which pair: decided once, on all pairs of a run.

``set00/V000/I00000.jpg``, the same with a folder for the modality or with folders in front, and the flat
``set00_V000_I00000.jpg`` all belong to the pair ``set00/V000/I00000``; so does ``I00000.jpg``, if to no other pair.
What fits like that is taken first; then names are read without what export tools put around them, then as numbers.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.errors import DataError

_MODALITY = frozenset({"visible", "vis", "vi", "rgb", "color"})
_AFFIX = re.compile(r"_(visible|vis|rgb)$", re.IGNORECASE)
_SUFFIX = re.compile(r"\.(jpe?g|png|tiff?|bmp|webp|jp2|txt|xml)$", re.IGNORECASE)
_ANY_SUFFIX = re.compile(r"\.[a-z]\w{0,4}$", re.IGNORECASE)
_CONTAINERS = re.compile(
    r"(images?|imgs?|labels?|annotations?|jpegimages|pictures|frames|data|upload|media"
    r"|(obj_)?(train|val(id(ation)?)?|test)(_data|\d{4})?)",
    re.IGNORECASE,
)
"""Folders that sort files and say nothing of the sequence."""
_ROBOFLOW = re.compile(r"_(jpe?g|png|tiff?|bmp|webp)\.rf\.[0-9a-z]+$", re.IGNORECASE)
_LABEL_STUDIO = re.compile(r"^([0-9a-f]{8}|(?=[0-9]*[a-f])[0-9a-f]{4,7})-(?=.)")

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """Which names belong to which pairs.

    Attributes:
        names: aligned pair -> its name in the file.
        rejected: names that belong to pairs which were rejected before.
        unknown: names that belong to no pair.
        bare: aligned pairs that no name belongs to.
        read_as: how names were read that do not fit as they stand -> one of them and its pair.
    """

    names: dict[str, str] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    read_as: dict[str, tuple[str, str]] = field(default_factory=dict)


def match(source: str, names: Iterable[str], pairs: Collection[str], rejected: Collection[str] = ()) -> Match:
    """Find the pair of each name; the result depends on no order.

    Args:
        source: what holds the names, for messages.
        names: paths or names of pictures.
        pairs: ids of all aligned pairs.
        rejected: ids of pairs that were found and not aligned; a name may be theirs, too.

    Raises:
        DataError: a name is there twice, could be that of several pairs, or a pair's name could be several of them.
    """
    waiting, aligned = sorted(set(names)), set(pairs)
    _refuse_twins(source, waiting)
    result, taken = Match(), set[str]()
    for how, read in _READINGS.items():
        keys = _Keys([pair for pair in aligned.union(rejected) if pair not in taken], read)
        for look in (keys.same, keys.end_of_name, keys.end_of_pair):
            fitting = {name: [pair for pair in look(read(name)) if pair not in taken] for name in waiting}
            for name, fits in fitting.items():
                if fits and aligned.isdisjoint(fits):
                    result.rejected.append(name)
                    taken.update(fits)
            for pair, name in _decided(source, fitting, aligned).items():
                result.names[pair] = name
                taken.add(pair)
                if how:
                    result.read_as.setdefault(how, (name, pair))
            waiting = [name for name in waiting if not fitting[name]]
    result.unknown.extend(waiting)
    result.bare.extend(sorted(aligned - result.names.keys()))
    return result


LIKE = 0.3
"""How alike names must be to be guessed, 0 to 1: a wrong guess costs nothing where nothing fits."""


def nearest(name: str, pairs: Iterable[str]) -> str | None:
    """The pair most like the picture that a name stands for, by its frame, then by its folders; None where none is."""
    *folders, called = _without_marks(name)
    parts = {pair: _without_marks(pair) for pair in sorted(pairs)}
    frames = {frame for *_, frame in parts.values()}
    near = [max(sorted(frame for frame in frames if frame in called), key=len, default="")]
    near = near if near[0] else difflib.get_close_matches(called, sorted(frames), n=1, cutoff=LIKE)
    whole = difflib.SequenceMatcher(b="_".join([*folders, called]), autojunk=False)

    def likeness(pair: str) -> float:
        whole.set_seq1("_".join(parts[pair]))
        return whole.ratio()

    return max((pair for pair in parts if parts[pair][-1] in near), key=likeness, default=None)


class _Keys:
    """Pairs by the whole and by the ends of their ids, as a reading has them."""

    def __init__(self, pairs: Iterable[str], read: Callable[[str], Parts]) -> None:
        self._whole: dict[str, list[str]] = {}
        self._ends: dict[str, list[str]] = {}
        for pair in sorted(pairs):
            parts = read(pair)
            self._whole.setdefault("_".join(parts), []).append(pair)
            for start in range(1, len(parts)):
                self._ends.setdefault("_".join(parts[start:]), []).append(pair)

    def same(self, parts: Parts) -> list[str]:
        """The pairs that a name is the whole id of."""
        return self._whole.get("_".join(parts), [])

    def end_of_name(self, parts: Parts) -> list[str]:
        """The pairs whose id a name ends with; of several the longest."""
        ends = ("_".join(parts[start:]) for start in range(1, len(parts)))
        return next((self._whole[end] for end in ends if end in self._whole), [])

    def end_of_pair(self, parts: Parts) -> list[str]:
        """The pairs whose id ends with a name."""
        return self._ends.get("_".join(parts), [])


def _decided(source: str, fitting: Mapping[str, list[str]], aligned: Collection[str]) -> dict[str, str]:
    """Pair -> name of those names that fit an aligned pair.

    Raises:
        DataError: one fits several pairs, or several fit one.
    """
    decided: dict[str, str] = {}
    for name, fits in fitting.items():
        if not any(pair in aligned for pair in fits):
            continue
        if len(fits) > 1:
            raise DataError(f"{source}: entry {name} could be pair {fits[0]} or {fits[1]}: use whole paths as names")
        other = decided.setdefault(fits[0], name)
        if other != name:
            raise DataError(f"{source}: entries {other} and {name} could both be pair {fits[0]}: keep one")
    return decided


def _refuse_twins(source: str, names: Iterable[str]) -> None:
    """Refuse names that differ in nothing that counts.

    Raises:
        DataError: two of them do.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault("_".join(_as_it_stands(name)), name)
        if other != name:
            raise DataError(f"{source}: two entries for one picture, {other} and {name}: keep one")


def _as_it_stands(path: str) -> Parts:
    """Parts of a path without the modality's folder or affix and without a picture's suffix."""
    text = unicodedata.normalize("NFC", path).replace("\\", "/")
    *folders, name = [part for part in text.split("/") if part not in ("", ".")] or [text]
    return (*(folder for folder in folders if folder.lower() not in _MODALITY), _AFFIX.sub("", _SUFFIX.sub("", name)))


def _without_marks(path: str) -> Parts:
    """The same without what export tools add: a hash, a second suffix, folders that only sort files; case is even."""
    *folders, name = _as_it_stands(path)
    kept = [folder for folder in folders if folder != ".." and not _CONTAINERS.fullmatch(folder)]
    for mark in (_SUFFIX, _ROBOFLOW, _LABEL_STUDIO, _SUFFIX, _ANY_SUFFIX, _AFFIX):
        name = mark.sub("", name)
    return tuple(part.casefold() for part in (*kept, name))


def _as_numbers(path: str) -> Parts:
    """The same, and the picture's name as a number where it is one."""
    *folders, name = _without_marks(path)
    return (*folders, str(int(name)) if name.isdecimal() and len(name) < 20 else name)


_READINGS: Mapping[str, Callable[[str], Parts]] = {
    "": _as_it_stands,
    "without the marks of export tools": _without_marks,
    "as numbers": _as_numbers,
}
"""How names are read, the strictest first."""
