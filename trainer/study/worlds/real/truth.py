"""What the oracle learns from: thermal frames of the tests as both halves of pairs, and their true boxes as detections.

Two folds of scenes: what learned from the truth of one is tested on the other. All of it is made by ``cmd-prep``: a
manifest whose patterns for both modalities are the same, and a file of boxes for each fold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from trainer.sequences import Clip
from trainer.sequences.frames import first_kind
from trainer.sequences.rows import valid
from trainer.study.costs import MINE_S, STAGE_S
from trainer.study.plan import Run
from trainer.study.rows import Made
from trainer.study.worlds.real.recordings import Recordings

MANIFEST = "truth.yaml"
ALIGNED = "aligned/truth"
FRAMES = 1000
"""Frames from which on not every one is taken, but every second, third, ... and at most every tenth."""
MOST = 10
JUDGE_S = 0.04
"""A pair that is known to be aligned."""


def pattern_of(recordings: Recordings, names: Iterable[str]) -> str | None:
    """Where the frames of sequences lie, as a manifest's pattern.

    None where no single one says it, or frames have 16 bits, which pairs have on their thermal side alone.
    """
    tails = set()
    for name in names:
        if first_kind(recordings.sequences[name].pictures[0]) != "grey":
            return None
        for path in {picture.parent for picture in recordings.sequences[name].pictures}:
            folder = path.relative_to(recordings.root).as_posix()
            if folder.partition("/")[0] != name:
                return None
            tails.add(folder.removeprefix(name))
    return f"*{tails.pop()}/{{frame}}" if len(tails) == 1 else None


def manifest(pattern: str, frames: int) -> str:
    """The manifest of pairs whose two halves are one thermal frame.

    Args:
        pattern: where frames lie.
        frames: how many there are.
    """
    lines = {
        **{"name": "truth", "title": "Thermal frames as both halves of pairs", "kind": "pairs"},
        **{"source": "the tests of a study", "licence": "that of the tests", "rule": "stem", "prior": "identity"},
        **{"rgb": pattern, "tir": pattern, "stride": _stride(frames)},
    }
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items())


def boxes_file(fold: str) -> str:
    """Name of the file of a fold's true boxes, in the study's folder."""
    return f"truth-{fold}.jsonl"


def boxes(clips: Mapping[str, Clip], names: Sequence[str]) -> str:
    """True boxes of some sequences as detections, a line a frame; one sequence is one object."""
    lines = []
    for name in names:
        clip = clips[name]
        for picture, box, known in zip(clip.pictures, clip.truth.tolist(), valid(clip.truth)):
            if known:
                lines.append(json.dumps({"pair_id": f"{name}/{picture.stem}", "boxes": [box], "id": [name]}))
    return "".join(f"{line}\n" for line in lines)


def shards(recordings: Recordings, made: dict[str, Run], fold: str) -> Made:
    """The shards of one fold, by runs that are added where they are not there yet."""
    frames = recordings.frames(recordings.sequences)
    pairs = frames // _stride(frames)
    words: tuple[str, ...] = ("pipeline", "align", "--root", str(recordings.root.resolve()), "--manifest", MANIFEST)
    words += ("--model", "identity", "--min-score", "0", "--max-reject-ratio", "1", "--out", ALIGNED, "--workers", "1")
    cost = STAGE_S + pairs * JUDGE_S
    made.setdefault(ALIGNED, Run(ALIGNED, words, (), cost, f"{ALIGNED}/aligned.jsonl"))
    path = f"shards/truth-{fold}"
    words = ("pipeline", "mine", "--aligned", ALIGNED, "--out", path, "--method", "detection", "--detector", "boxes")
    words += ("--detections", boxes_file(fold), "--fallback", "skip", "--min-size", "1", "--max-reject-ratio", "1")
    words += ("--patch-size", "0", "--workers", "1")
    made[path] = Run(path, words, (ALIGNED,), STAGE_S + pairs * MINE_S, f"{path}/index.json")
    return Made(path, path)


def _stride(frames: int) -> int:
    return min(MOST, max(1, frames // FRAMES))
