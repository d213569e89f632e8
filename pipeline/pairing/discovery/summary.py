"""What discovery found, added up: pairs, pictures without a partner by sequence, and counts against the manifest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pipeline.manifests import Manifest
from pipeline.pairing.discovery.dataset import SequencePairs

SHOWN = 10
"""Sequences that a warning names."""


@dataclass
class Discovered:
    """Running totals of :func:`~discover.discover`; memory grows with sequences, not with pairs.

    Attributes:
        pairs: pairs by sequence.
        rejects: pictures left out, by sequence and reason.
        by_manifest: pairs by the manifest that speaks for them; several in a collection.
        notes: what should be told of how pairs were found, by sequence.
        cameras: of the pairs.
    """

    pairs: Counter[str] = field(default_factory=Counter)
    rejects: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_manifest: dict[str, tuple[Manifest, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cameras: set[str] = field(default_factory=set)

    def add(self, found: SequencePairs) -> None:
        """Count one sequence."""
        if found.pairs:
            self.cameras.add(found.camera)
        self.pairs[found.sequence] += len(found.pairs)
        self.rejects.update((found.sequence, reject.reason) for reject in found.rejects)
        self.notes += [f"{found.sequence}: {note}" for note in found.notes]
        _, before = self.by_manifest.get(found.manifest.name, (found.manifest, 0))
        self.by_manifest[found.manifest.name] = found.manifest, before + len(found.pairs)

    def warnings(self) -> list[str]:
        """What a user should look at: counts that differ from the manifest, notes, sequences with pictures left out."""
        lines = []
        for manifest, pairs in self.by_manifest.values():
            expected = manifest.expected()
            if expected is not None and manifest.stride == 1 and pairs != expected:
                which = f"{manifest.name}:{manifest.subset}" if manifest.subset else manifest.name
                lines.append(f"{which}: {pairs} pairs found, {expected} expected")
        lines += self.told()
        worst = self._worst()
        lines += [_left_out(name, reason, count) for (name, reason), count in worst]
        more = len({name for name, _ in self.rejects} - {name for (name, _), _ in worst})
        return lines + ([f"and {more} more sequences with pictures left out"] if more > 0 else [])

    def told(self) -> list[str]:
        """What should be told of how pairs were found: the first notes, and how many more there are."""
        more = len(self.notes) - SHOWN
        return self.notes[:SHOWN] + ([f"and {more} more such sequences"] if more > 0 else [])

    def _worst(self) -> list[tuple[tuple[str, str], int]]:
        """Sequences that lost most, most first, then by name."""
        return sorted(self.rejects.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]


def _left_out(name: str, reason: str, count: int) -> str:
    if reason == "absent":
        return f"{name}: {count} of the frames it names are not there"
    return f"{name}: {count} pictures left out: {reason}"
