"""Rows that the stages hand to one another, and how they are read from and written to JSON Lines."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from pipeline.errors import DataError, first_fault
from pipeline.files.plain import open_plain
from pipeline.files.writing import written_text
from pipeline.next_command import made_again

MAX_LINE = 1_000_000
"""Longest row accepted, in bytes; a real one is under two thousand."""

Reason = Literal[
    "decode",
    "false_colour",
    "changed",
    "missing_counterpart",
    "absent",
    "blank",
    "saturated",
    "no_structure",
    "no_match",
    "size_mismatch",
    "same_image",
    "swapped_modalities",
    "temporal_mismatch",
    "low_score",
    "no_detection",
    "no_tube",
    "outside_tir",
    "too_small",
]
Stage = Literal["align", "mine"]
SHA256 = r"^[0-9a-f]{64}$"
Matrix9 = tuple[float, float, float, float, float, float, float, float, float]


class Row(BaseModel):
    """Base of every row: frozen, unknown keys and non-finite numbers refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PairFiles(Row):
    """One pair as found on disk.

    Attributes:
        pair_id: ``sequence/frame``, unique in the data set.
        sequence: the recording the pair belongs to, e.g. ``set00/V000``.
        frame: the frame's name in it, e.g. ``I00000``.
        camera: the rig that took it; pairs of one camera may share one matrix.
        rgb: visible picture: POSIX path relative to the data set's root, or a part of that file
            (``pipeline.pairing.discovery.sources``).
        tir: thermal picture, likewise.
        timestamp: seconds, if known.
        skew: TIR time minus RGB time in seconds, if both are known.
    """

    pair_id: str
    sequence: str
    frame: str
    camera: str
    rgb: str
    tir: str
    timestamp: float | None = None
    skew: float | None = None


class AlignedPair(Row):
    """One row of ``aligned.jsonl``; ``homography`` maps TIR pixels to RGB pixels (pixel centres, row-major).

    ``rgb_sha256`` and ``tir_sha256`` are of the files, which were looked through whole when they were aligned; None
    where a picture is a part of a file, and in rows of earlier versions.
    """

    pair_id: str
    sequence: str
    frame: str
    rgb: str
    tir: str
    rgb_size: tuple[int, int]
    tir_size: tuple[int, int]
    homography: Matrix9
    model: Literal["identity", "translation", "similarity", "affine", "homography"]
    score: float = Field(ge=0, le=1)
    scores: dict[str, float]
    flags: tuple[str, ...] = ()
    timestamp: float | None = None
    tir_range: tuple[float, float] | None = None
    rgb_sha256: str | None = Field(default=None, pattern=SHA256)
    tir_sha256: str | None = Field(default=None, pattern=SHA256)

    @field_validator("rgb", "tir")
    @classmethod
    def _inside_root(cls, path: str) -> str:
        return inside_root(path)


class Reject(Row):
    """One row of ``rejects.jsonl``: what was left out, where, and why."""

    pair_id: str
    rgb: str | None
    tir: str | None
    stage: Stage
    reason: Reason
    detail: str


def inside_root(path: str) -> str:
    """Return a POSIX path that stays below the root it is relative to.

    Raises:
        ValueError: the path is absolute, climbs out with ``..``, or holds what no path can.
    """
    if "\0" in path:
        raise ValueError(f"path {path!r} holds a null")
    if path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/"):
        raise ValueError(f"path {path!r} leaves the data set's root")
    return path


R = TypeVar("R", bound=Row)


def read_rows(path: Path, row: type[R]) -> Iterator[R]:
    """Stream the rows of a JSON Lines file; errors as :func:`locate_rows`."""
    for _, content in locate_rows(path, row):
        yield content


def locate_rows(path: Path, row: type[R]) -> Iterator[tuple[int, R]]:
    """Stream the rows of a JSON Lines file, each with the byte its line starts at.

    Raises:
        DataError: the file is missing, a line is too long, or a row does not fit; the message names file and line.
    """
    adapter = TypeAdapter(row)
    at = 0
    try:
        with open_plain(path) as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
                if len(line) > MAX_LINE:
                    raise DataError(f"{path}:{number}: line is longer than {MAX_LINE} bytes: not a file of this tool")
                # Editors on Windows put a mark of the byte order in front, which is no JSON.
                text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
                if text.strip():
                    yield at + len(line) - len(text), adapter.validate_json(text)
                at += len(line)
    except OSError as error:
        cure = made_again(path.parent) or "run the stage that writes it first"
        raise DataError(f"cannot read {path}: {error.strerror}: {cure}") from error
    except ValidationError as error:
        fault = first_fault(error)
        raise DataError(f"{path}:{number}: {fault.key or 'row'}: {fault.message}") from error


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write rows as JSON Lines in one atomic step; return how many."""
    count = 0
    with written_text(path, durable=True) as file:
        for row in rows:
            file.write(row.model_dump_json() + "\n")
            count += 1
    return count
