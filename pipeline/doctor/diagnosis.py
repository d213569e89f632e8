"""What the doctor found, as lines of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.doctor.look import Seen

_MEANT = {
    "missing_counterpart": "pictures without a partner",
    "absent": "frames that are named and not there",
    "decode": "damaged pictures",
    "false_colour": "thermal pictures in false colours",
    "blank": "pictures that show nothing",
    "saturated": "saturated pictures",
    "no_structure": "pictures of noise",
    "same_image": "copies of the visible picture as thermal",
    "swapped_modalities": "visible pictures without colour",
    "size_mismatch": "pictures of unlike aspect",
    "temporal_mismatch": "pairs taken at different times",
    "too_small": "pictures too small to align",
    "exif_orientation": "pictures with an EXIF orientation, which is ignored",
    "overlay": "drawn into both pictures, left out of account",
}
"""Codes of ``rejects.jsonl`` and of flags -> what they are called here."""
SHOWN = 3
"""Sequences, or kinds of pictures, that a line names; of the rest it says how many there are."""


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        check: what was looked at.
        found: what was found.
        amiss: whether somebody should look at it.
    """

    check: str
    found: str
    amiss: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """All that was found.

    Attributes:
        lines: of the table, in order.
    """

    lines: tuple[Line, ...]

    @property
    def amiss(self) -> int:
        """How many lines somebody should look at."""
        return sum(line.amiss for line in self.lines)


def left_out(rejects: Mapping[tuple[str, str], int]) -> list[Line]:
    """Lines about pictures that belong to no pair, by reason: how many, and in which sequences most.

    Args:
        rejects: (sequence, reason) -> pictures.
    """
    places: dict[str, Counter[str]] = {}
    for (sequence, reason), count in sorted(rejects.items()):
        places.setdefault(reason, Counter())[sequence] += count
    return [
        Line(_MEANT.get(reason, reason), f"{found.total()}: {_where(found)}", amiss=True)
        for reason, found in sorted(places.items())
    ]


def _where(places: Counter[str]) -> str:
    """Sequences with counts, the largest first, those beyond :data:`SHOWN` as how many they are."""
    first = ", ".join(f"{count} in {sequence}" for sequence, count in places.most_common(SHOWN))
    more = len(places) - SHOWN
    return first if more <= 0 else f"{first}, and {places.total() - _first(places)} in {more} other sequences"


def _first(counts: Counter[str]) -> int:
    return sum(count for _, count in counts.most_common(SHOWN))


def rates(found: Iterable[float]) -> list[Line]:
    """A line about the frame rates (Hz) of the sequences whose frames have a time; none where none have."""
    counts = Counter(f"{rate:.3g} Hz" for rate in found)
    if not counts:
        return []
    return [Line("frame rate", ", ".join(f"{rate} in {n} sequences" for rate, n in sorted(counts.items())))]


def pictures(seen: Seen) -> list[Line]:
    """Lines about what the pictures are, and about what is wrong with them."""
    sides: dict[str, Counter[str]] = {}
    for kind, count in sorted(seen.kinds.items()):
        side, what = kind.split(" ", 1)
        sides.setdefault(side, Counter())[what] += count
    lines = [Line(f"{side} pictures", _kinds(side, found, seen), amiss=len(found) > 1) for side, found in sides.items()]
    return lines + [
        Line(_MEANT.get(code, code), f"{count}, such as {seen.examples[code]}", amiss=True)
        for code, count in sorted(seen.faults.items())
    ]


def _kinds(side: str, found: Counter[str], seen: Seen) -> str:
    """What the pictures of a side are, the most frequent first; where they differ, a pair whose is not as most are."""
    told = ", ".join(f"{what} ({count})" for what, count in found.most_common(SHOWN))
    if len(found) > SHOWN:
        told += f", and {found.total() - _first(found)} of other kinds"
    if len(found) > 1:
        rarest = found.most_common()[-1][0]
        told += f"; {rarest} is {seen.examples[f'{side} {rarest}']}"
    return told
