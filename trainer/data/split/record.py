"""The record of a split, ``split.json`` of a run: the side of every sequence that it or a parent has seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import DataError, UsageError, first_fault
from pipeline.files.hashing import text_sha256
from pipeline.files.json_text import read_json
from trainer.checkpoints.run_folder import SPLIT
from trainer.data.split.side import Kind, Side


@dataclass(frozen=True)
class Known:
    """What is known of a sequence.

    Attributes:
        side: where it stands.
        pictures: some of its frames -> a hash of their picture (:mod:`trainer.data.split.copies`).
    """

    side: Side
    pictures: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Split:
    """Which sequences train and which are held out.

    Attributes:
        held_out: the share that was asked for.
        split_seed: the seed.
        sequences: key (:func:`trainer.data.split.side.key_of`) -> what is known of it.
    """

    held_out: float
    split_seed: int
    sequences: Mapping[str, Known]

    def record(self) -> dict[str, Any]:
        """Content of ``split.json``."""
        rows = {}
        for key, known in self.sequences.items():
            ends = {"last": known.side.last, "first": known.side.first} if known.side.kind == "cut" else {}
            rows[key] = {"side": known.side.kind, **ends, "pictures": dict(known.pictures)}
        return {"held_out": self.held_out, "split_seed": self.split_seed, "sequences": rows}

    def digest(self) -> str:
        """A hash of the record."""
        return text_sha256(json.dumps(self.record(), sort_keys=True))


class _Row(BaseModel):
    """One sequence in the file."""

    model_config = ConfigDict(extra="forbid")

    side: Kind
    last: str = ""
    first: str = ""
    pictures: dict[str, str] = Field(default_factory=dict)


class _File(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    held_out: float
    split_seed: int
    sequences: dict[str, _Row]


def read_split(path: Path) -> Split:
    """Read ``split.json``.

    Raises:
        DataError: it is missing, damaged, or not the record of a split.
    """
    try:
        file = _File.model_validate(read_json(path))
    except ValidationError as error:
        fault = first_fault(error)
        raise DataError(f"{path}: {fault.key}: {fault.message}: restore it from the run") from error
    rows = {key: Known(Side(row.side, row.last, row.first), row.pictures) for key, row in file.sequences.items()}
    return Split(file.held_out, file.split_seed, rows)


def join(named: Sequence[tuple[str, Split]]) -> Split | None:
    """What several runs know together; None where there are none.

    Args:
        named: the runs, each with what messages call it.

    Raises:
        UsageError: two were split with other settings, or one trained on what another held out; names both.
    """
    return reduce(_joined, named)[1] if named else None


def _joined(one: tuple[str, Split], two: tuple[str, Split]) -> tuple[str, Split]:
    (first, a), (second, b) = one, two
    cure = f"copy {SPLIT} of one into the run that the other started from, such as a1, and train that other again"
    if (a.held_out, a.split_seed) != (b.held_out, b.split_seed):
        raise UsageError(
            f"{first} was split with {_settings(a)}, {second} with {_settings(b)}: what one trained on the other may "
            f"have held out: {cure}"
        )
    sequences = dict(a.sequences)
    for key, known in b.sequences.items():
        was = sequences.setdefault(key, known)
        if was.side.contradicts(known.side):
            raise UsageError(
                f"{first} and {second} disagree about sequence {key}: {_told(was.side)} by the first, "
                f"{_told(known.side)} by the second: {cure}"
            )
        sequences[key] = Known(was.side.both(known.side), {**known.pictures, **was.pictures})
    return f"{first} + {second}", Split(a.held_out, a.split_seed, sequences)


def refuse_other_settings(name: str, split: Split, held_out: float, split_seed: int) -> None:
    """Refuse settings that a run's parents were not split with.

    Raises:
        UsageError: they are others.
    """
    if (split.held_out, split.split_seed) != (held_out, split_seed):
        raise UsageError(
            f"held_out={held_out:g}, split_seed={split_seed}: {name} was split with {_settings(split)}, and a "
            f"run keeps to the split of what it starts from: give --set held_out={split.held_out:g} --set "
            f"split_seed={split.split_seed}"
        )


def _settings(split: Split) -> str:
    return f"held_out={split.held_out:g}, split_seed={split.split_seed}"


def _told(side: Side) -> str:
    words = {"training": "trained on", "held_out": "held out", "left_out": "left out"}
    return f"trained on up to {side.last}, held out from {side.first}" if side.kind == "cut" else words[side.kind]
