"""What the user's folders are for: to train on, to test on, to choose rates on, so that no scene is two of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.files.names import natural
from trainer.study.presets import Preset
from trainer.study.settings import StudyConfig
from trainer.study.worlds.patches import kinds_of
from trainer.study.worlds.real import truth
from trainer.study.worlds.real.pairs import TUBE, Pairs, read_pairs, refuse_without_boxes
from trainer.study.worlds.real.recordings import Recordings, chosen, folds, read_recordings
from trainer.study.worlds.real.scenes import ALIKE, likeness

PATCHES = "detection"
"""What the verdict is about in this world."""


@dataclass(frozen=True, eq=False)
class Real:
    """What was found in the user's folders.

    Attributes:
        config: what was asked.
        preset: how large the study is, less what cannot be made here.
        pairs: to learn from.
        recordings: to test on.
        select: sequences on which rates are chosen; none where no rate is.
        test: sequences of the test.
        shared: sequences that show a scene of the pairs, or what such a sequence shows: neither of the two.
        halves: the sequences whose truth an oracle learns from; each is tested on the other's.
        pattern: where the frames of these lie; None where there is no oracle.
        lacks: why something that the preset names is not there.
    """

    config: StudyConfig
    preset: Preset
    pairs: Sequence[Pairs]
    recordings: Recordings
    select: Sequence[str]
    test: Sequence[str]
    shared: Sequence[str]
    halves: tuple[list[str], list[str]]
    pattern: str | None
    lacks: tuple[str, ...]

    @property
    def beside(self) -> list[str]:
        """Sequences that are in no test since they show what others do, on which rates are chosen."""
        others = {*self.recordings.sequences} - {*self.test, *self.select, *self.shared}
        return sorted(others, key=natural)


def look(config: StudyConfig, preset: Preset, test: Path) -> Real:
    """Look through the user's folders, and decide who is for what.

    Args:
        config: what was asked.
        preset: how large the study is.
        test: folder of the sequences.

    Raises:
        UsageError: options that do not go together.
        DataError: pairs or sequences that cannot be used.
    """
    pairs = [read_pairs(aligned) for aligned in config.pairs]
    recordings = read_recordings(test, config.clips)
    alike = {
        name
        for name in recordings.sequences
        if any(likeness(recordings.looks[name], looks) >= ALIKE for each in pairs for looks in each.looks.values())
    }
    shared = {name for scene in recordings.scenes(recordings.sequences) if alike & {*scene} for name in scene}
    usable = [name for name in recordings.sequences if name not in shared]
    select = _chosen(config, preset, recordings, usable)
    # What shows a scene by which a rate was chosen is no test of it.
    names = [name for scene in recordings.scenes(usable) if not {*scene} & {*select} for name in scene]
    if not names:
        raise UsageError(f"--select: no scene of {test} is left to test on: choose rates on fewer")
    halves = folds(recordings.scenes(names))
    pattern = truth.pattern_of(recordings, names) if all(halves) else None
    scope, lacks = preset.scope, list[str]()
    if "oracle" in scope.controls and pattern is None:
        scope = scope.without("oracle")
        lacks.append(
            "no oracle, and the headroom stays unknown: its two folds need two scenes, and frames of 8 bits in folders "
            "of one name"
        )
    if "t3" in scope.rows and max(max(each.sequences.values()) for each in pairs) < TUBE:
        scope = scope.without("t3")
        lacks.append(f"no t3: no sequence of pairs has {TUBE} frames, which a tube needs")
    preset = replace(preset, scope=scope)
    refuse_without_boxes(config, kinds_of(config.patches or PATCHES, preset, scope))
    left_out = sorted(shared, key=natural)
    return Real(config, preset, pairs, recordings, select, names, left_out, halves, pattern, tuple(lacks))


def _chosen(config: StudyConfig, preset: Preset, recordings: Recordings, usable: Sequence[str]) -> list[str]:
    """Sequences on which rates are chosen; none where there is one rate alone."""
    if len(preset.rates) > 1:
        return chosen(recordings, config.select, usable)
    if config.select is not None:
        raise UsageError(f"--select has no effect with --preset {config.preset}, which tries no rates: leave it out")
    return []
