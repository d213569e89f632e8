"""Aligned pairs of the user: what they are, which scenes they show, and their patches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import DataError, UsageError
from pipeline.files.hashing import file_sha256
from pipeline.files.json_text import read_json
from pipeline.records import AlignedPair, read_rows
from trainer.study.costs import MINE_S, START_S
from trainer.study.plan import Run
from trainer.study.rows import Made
from trainer.study.settings import StudyConfig
from trainer.study.worlds.real.scenes import Looks, looks

DETECT_S = 0.25
"""A pair in which a detector looks for boxes."""
TUBE = 10
"""Frames of a sequence from which on a tube may be in it: the least that ``mine --tubes`` keeps."""
_BY_EYE = ("center", "random")


@dataclass(frozen=True, eq=False)
class Pairs:
    """One folder that ``cmd-prep align`` wrote.

    Attributes:
        aligned: the folder.
        digest: hash of its rows, which hold a hash of every picture.
        sequences: sequence -> how many pairs.
        looks: sequence -> some of its thermal frames; none where pictures lie inside other files.
    """

    aligned: Path
    digest: str
    sequences: Mapping[str, int]
    looks: Mapping[str, Looks]

    @property
    def count(self) -> int:
        """Pairs."""
        return sum(self.sequences.values())


def read_pairs(aligned: Path) -> Pairs:
    """Look through aligned pairs.

    Raises:
        DataError: not such a folder, or the data set has moved.
    """
    rows = list(read_rows(aligned / "aligned.jsonl", AlignedPair))
    root = Path(str(read_json(aligned / "align.json").get("root", "")))
    if not rows or not root.is_dir():
        what = f"{root}: the data set is not there any more" if rows else "no pair is aligned"
        raise DataError(f"--pairs {aligned}: {what}: align again")
    pictures: dict[str, list[Path]] = {}
    for row in rows:
        pictures.setdefault(row.sequence, []).append(root / row.tir)
    return Pairs(
        aligned,
        file_sha256(aligned / "aligned.jsonl"),
        Counter(row.sequence for row in rows),
        {name: looks(files) for name, files in pictures.items()},
    )


def refuse_without_boxes(config: StudyConfig, kinds: set[str]) -> None:
    """Refuse patches of detections where nothing says what finds them.

    Raises:
        UsageError: neither weights nor boxes, or weights for boxes that are in files already.
    """
    if not kinds <= set(_BY_EYE) and config.weights is None and config.detections is None:
        raise UsageError(
            "detection patches of real pairs need what finds them: give --weights FILE of a YOLO detector, or "
            "--detections of boxes in files"
        )
    if config.weights is not None and config.detections is not None:
        raise UsageError("--weights is of a detector and --detections of boxes that were found already: give one")


def shards(config: StudyConfig, pairs: Sequence[Pairs], made: dict[str, Run], kinds: set[str]) -> dict[str, list[Made]]:
    """Folders of shards by kind of patches, one for each folder of pairs, by runs that are added."""
    found: dict[str, list[Made]] = {}
    for kind in sorted(kinds):
        for number, each in enumerate(pairs):
            path = f"shards/{number}/{kind}"
            words: tuple[str, ...] = ("pipeline", "mine", "--aligned", str(each.aligned.resolve()), "--out", path)
            words += ("--patch-size", "0", "--max-reject-ratio", "1", "--workers", "1", *_method(config, kind))
            per_pair = MINE_S if kind in _BY_EYE or config.weights is None else DETECT_S
            made[path] = Run(path, words, (), START_S + each.count * per_pair, f"{path}/index.json")
            found.setdefault(kind, []).append(Made(path, path))
    return found


def _method(config: StudyConfig, kind: str) -> tuple[str, ...]:
    if kind in _BY_EYE:
        return ("--method", kind)
    boxes = ("--detector", "boxes", "--detections", str(config.detections.resolve())) if config.detections else (
        "--weights", str(config.weights.resolve() if config.weights else ""))  # fmt: skip
    return ("--method", "detection", *boxes, *(["--tubes"] if kind.endswith("-tubes") else []))
