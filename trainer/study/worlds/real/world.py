"""The real world: the user's aligned pairs to learn from, the user's thermal sequences to test on.

Nothing is known of the teacher in RGB, since the tests have no twins there. The truth of the tests is used twice: to
choose rates, on scenes that are then in no test, and by the oracle, in two folds of scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import some
from pipeline.files.hashing import file_sha256, text_sha256
from pipeline.files.names import natural
from trainer.study.measures import Tests
from trainer.study.plan import Run
from trainer.study.plan.run import INIT
from trainer.study.presets import Preset
from trainer.study.rows import TRUTH, Made, Rows
from trainer.study.settings import Scope, StudyConfig
from trainer.study.students import Half, secondary, students
from trainer.study.worlds.patches import OTHER, kinds_of
from trainer.study.worlds.real import truth
from trainer.study.worlds.real.pairs import TUBE, Pairs, read_pairs, refuse_without_boxes, shards
from trainer.study.worlds.real.recordings import Recordings, chosen, folds, read_recordings
from trainer.study.worlds.real.scenes import ALIKE, likeness
from trainer.study.worlds.world import World

PATCHES = "detection"
"""What the verdict is about in this world."""
FOLDS = ("a", "b")
TEST, SELECT = "test.txt", "select.txt"
"""Names of the sequences of the test, and of those on which rates are chosen."""


@dataclass(frozen=True, eq=False)
class _Real:
    """What was found in the user's folders.

    Attributes:
        config: what was asked.
        preset: how large the study is, less what cannot be made here.
        pairs: to learn from.
        recordings: to test on.
        select: sequences on which rates are chosen; none where no rate is.
        test: sequences of the test.
        shared: sequences that show a scene of the pairs: neither of the two.
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


def real_world(config: StudyConfig, preset: Preset, test: Path) -> World:
    """The world of the user's data.

    Args:
        config: what was asked.
        preset: how large the study is.
        test: folder of the sequences.

    Raises:
        UsageError: options that do not go together.
        DataError: pairs or sequences that cannot be used.
    """
    found = _look(config, preset, test)
    hashes = [each.digest for each in found.pairs]
    boxes = config.weights or config.detections
    return World(
        name="real",
        patches=config.patches or PATCHES,
        scope=found.preset.scope,
        runs=lambda scope: _runs(found, scope),
        files=_files(found),
        inputs={
            "pairs": hashes[0] if len(hashes) == 1 else text_sha256("\n".join(hashes)),
            "tests": found.recordings.digest(),
            "select": text_sha256("\n".join(found.select)),
            "boxes": _hash(boxes) if boxes else "",
        },
        clips=dict(found.recordings.clips),
        told=lambda _: _told(found),
    )


def _look(config: StudyConfig, preset: Preset, test: Path) -> _Real:
    pairs = [read_pairs(aligned) for aligned in config.pairs]
    recordings = read_recordings(test, config.clips)
    shared = [
        name
        for name in recordings.sequences
        if any(likeness(recordings.looks[name], looks) >= ALIKE for each in pairs for looks in each.looks.values())
    ]
    of_shared = {recordings.clips[name] for name in shared}
    usable = [name for name in recordings.sequences if recordings.clips[name] not in of_shared]
    select = chosen(recordings, config.select, usable) if len(preset.rates) > 1 else []
    names = sorted(set(usable) - set(select), key=natural)
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
    return _Real(config, preset, pairs, recordings, select, names, sorted(set(recordings.sequences) - set(usable)),
                 halves, pattern, tuple(lacks))  # fmt: skip


def _runs(found: _Real, scope: Scope) -> list[Run]:
    """All runs of a part of the study, each after what it needs."""
    config, preset, made = found.config, found.preset, dict[str, Run]()
    patches = config.patches or PATCHES
    drawn = shards(config, found.pairs, made, kinds_of(patches, preset, scope))
    start, sequences = Made(INIT), Made(str(found.recordings.root.resolve()))
    each = -(-preset.windows // len(found.test))
    tests = Tests(
        sequences, None, sequences if found.select else None, each * len(found.test), preset.trials, TEST, SELECT
    )
    folds_of: list[Half] = []
    if "oracle" in scope.controls:
        truths = {fold: truth.shards(found.recordings, made, fold) for fold in FOLDS}
        for fold, other, names in zip(FOLDS, reversed(FOLDS), reversed(found.halves)):
            rows = Rows(config.tracker, preset, patches, {**drawn, TRUTH: [truths[fold]]}, start, f"runs/{fold}", made)
            half = replace(tests, windows=each * len(names), listed=f"fold-{other}.txt")
            folds_of.append(Half(fold, rows, half))
        drawn[TRUTH] = [truths[FOLDS[0]]]
    rows = Rows(config.tracker, preset, patches, drawn, start, "runs", made)
    runs = students(rows, scope, tests, folds_of)
    if preset.secondary:
        others = Rows(config.tracker, preset, OTHER[patches], drawn, start, f"runs-{OTHER[patches]}", made)
        runs = secondary(others, tests)
    return runs


def _files(found: _Real) -> dict[str, str]:
    """Lists of sequences, and what the oracle's shards are made of."""
    lists = {TEST: found.test, SELECT: found.select}
    texts = {}
    if found.pattern is not None:
        clips = found.recordings.sequences
        texts[truth.MANIFEST] = truth.manifest(found.pattern, found.recordings.frames(found.test))
        for fold, names in zip(FOLDS, found.halves):
            lists[f"fold-{fold}.txt"] = names
            texts[truth.boxes_file(fold)] = truth.boxes(clips, names)
    return texts | {name: "".join(f"{each}\n" for each in names) for name, names in lists.items()}


def _told(found: _Real) -> dict[str, object]:
    recordings = found.recordings

    def counted(names: Sequence[str]) -> str:
        return f"{len(names)} sequences of {len({recordings.clips[name] for name in names})} clips"

    return {
        "pairs of sequences": {name: number for each in found.pairs for name, number in each.sequences.items()},
        "tested on": counted(found.test),
        "rates chosen on": f"{counted(found.select)}: {', '.join(found.select)}" if found.select else "none",
        "left out: scenes of the pairs": some(found.shared, 20) if found.shared else "none",
        "left out: cannot be tested on": some([f"{name} ({why})" for name, why in recordings.unused.items()]) or "none",
        "oracle": f"two folds: {', '.join(map(counted, found.halves))}" if found.pattern else "none",
        "teacher on RGB": "unknown: the sequences have no twins in RGB",
        "lacking": "; ".join(found.lacks) or "nothing",
    }


def _hash(path: Path) -> str:
    """Of a file, or of the names and sizes of a folder's."""
    if path.is_file():
        return file_sha256(path)
    names = sorted(each for each in path.rglob("*") if each.is_file())
    return text_sha256("\n".join(f"{each.relative_to(path).as_posix()} {each.stat().st_size}" for each in names))
