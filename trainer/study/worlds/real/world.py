"""The real world: the user's aligned pairs to learn from, the user's thermal sequences to test on.

Nothing is known of the teacher in RGB, since the tests have no twins there. The truth of the tests is used twice: to
choose rates, on scenes that are then in no test, and by the oracle, in two folds of scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.errors import some
from pipeline.files.hashing import file_sha256, text_sha256
from trainer.study.measures import Tests
from trainer.study.plan import Run
from trainer.study.plan.run import INIT
from trainer.study.presets import Preset
from trainer.study.rows import TRUTH, Made, Rows
from trainer.study.settings import Scope, StudyConfig
from trainer.study.students import Half, secondary, students
from trainer.study.worlds.patches import OTHER, kinds_of
from trainer.study.worlds.real import truth
from trainer.study.worlds.real.pairs import shards
from trainer.study.worlds.real.sides import PATCHES, Real, look
from trainer.study.worlds.world import World

FOLDS = ("a", "b")
TEST, SELECT = "test.txt", "select.txt"
"""Names of the sequences of the test, and of those on which rates are chosen."""


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
    found = look(config, preset, test)
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


def _runs(found: Real, scope: Scope) -> list[Run]:
    """All runs of a part of the study, each after what it needs."""
    config, preset, made = found.config, found.preset, dict[str, Run]()
    patches = config.patches or PATCHES
    drawn = shards(config, found.pairs, made, kinds_of(patches, preset, scope))
    start, sequences = Made(INIT), Made(str(found.recordings.root.resolve()))
    each = -(-preset.windows // len(found.test))
    tests = Tests(
        sequences,
        None,
        sequences if found.select else None,
        each * len(found.test),
        preset.trials,
        TEST,
        SELECT,
        tuple(found.test),
        found.recordings.frames(found.test) if preset.tracked else 0,
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


def _files(found: Real) -> dict[str, str]:
    """Lists of sequences, and what the oracle's shards are made of."""
    lists = {TEST: found.test, SELECT: found.select}
    texts = {}
    if found.pattern is not None:
        clips = found.recordings.sequences
        texts[truth.MANIFEST] = truth.manifest(found.pattern, found.recordings.frames(clips))
        for fold, names in zip(FOLDS, found.halves):
            lists[f"fold-{fold}.txt"] = names
            texts[truth.boxes_file(fold)] = truth.boxes(clips, names)
    return texts | {name: "".join(f"{each}\n" for each in names) for name, names in lists.items()}


def _told(found: Real) -> dict[str, object]:
    recordings = found.recordings

    def counted(names: Sequence[str]) -> str:
        return f"{len(names)} sequences of {len({recordings.clips[name] for name in names})} clips"

    return {
        "pairs of sequences": {name: number for each in found.pairs for name, number in each.sequences.items()},
        "tested on": counted(found.test),
        "rates chosen on": f"{counted(found.select)}: {', '.join(found.select)}" if found.select else "none",
        "left out: scenes of the pairs": some(found.shared, 20) or "none",
        "left out: scenes that rates are chosen on": some(found.beside, 20) or "none",
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
