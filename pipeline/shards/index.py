"""The index of a folder of shards: what is in it, under which settings, with which hashes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from pipeline.errors import DataError, first_fault
from pipeline.files.hashing import file_sha256
from pipeline.files.json_text import read_json
from pipeline.files.nearby import nearby
from pipeline.next_command import ANEW, made_again
from pipeline.records import inside_root
from pipeline.shards.reader import open_shard
from pipeline.shards.schema import SCHEMA_VERSION, compatible

INDEX = "index.json"


class ShardEntry(BaseModel):
    """One shard in the index."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str
    bytes: int = Field(ge=0)
    pairs: int = Field(ge=0)
    patches: int = Field(ge=0)

    @field_validator("file")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        return inside_root(name)


class ShardIndex(BaseModel):
    """``index.json`` of a folder of shards; ``command``, since schema 1.1, makes it again with ``--out`` behind it.

    ``made_by``, since then too, says how it came about, in place of ``versions``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: str
    settings: dict[str, Any]
    versions: dict[str, str] = Field(default_factory=dict)
    made_by: dict[str, Any] = Field(default_factory=dict)
    source: dict[str, Any]
    command: tuple[str, ...] = ()
    totals: dict[str, Any]
    shards: tuple[ShardEntry, ...]

    @property
    def method(self) -> str:
        """How the patches were mined: center, random or detection."""
        return str(self.settings.get("method", ""))

    @property
    def typed(self) -> tuple[str, ...]:
        """:attr:`command`, to be shown; empty where it is none of ours, as a folder may come from anybody."""
        return self.command if self.command[:2] == ("cmd-prep", "mine") else ()

    @property
    def class_names(self) -> dict[int, str]:
        """The names of classes that COCO does not have, from 80 on."""
        names = {**self.settings.get("class_names", {}), **self.totals.get("class_names", {})}
        return {int(number): str(name) for number, name in names.items()}


def load_index(folder: Path) -> ShardIndex:
    """Read the index of a folder of shards.

    Raises:
        DataError: there is none, it does not fit, or it is of another major schema version.
    """
    path = folder / INDEX
    if not path.is_file():
        unfinished = made_again(folder)
        meant = nearby(folder, lambda near: (near / INDEX).is_file())
        given = f"{meant}give a folder that `cmd-prep mine` wrote"
        cure = f"go on with what makes it: {unfinished}" if unfinished else given
        raise DataError(f"{folder} has no {INDEX}: {cure}")
    content = read_json(path)
    cure = made_again(folder, *ANEW) or "mine again"
    if not compatible(content.get("schema_version")):
        raise DataError(
            f"{path}: schema version {content.get('schema_version')}, this reader knows {SCHEMA_VERSION} (CHANGELOG "
            f"says what changed): {cure}"
        )
    try:
        return TypeAdapter(ShardIndex).validate_python(content)
    except ValidationError as error:
        fault = first_fault(error)
        raise DataError(f"{path}: {fault.key}: {fault.message}: {cure}") from error


def file_fault(path: Path, entry: ShardEntry) -> str | None:
    """Why a file is not the one that was written; None where it is."""
    if not path.is_file():
        return f"{path}: missing"
    size = path.stat().st_size
    if size != entry.bytes:
        return f"{path}: has {size} bytes, the index says {entry.bytes}: cut short or altered"
    if file_sha256(path) != entry.sha256:
        return f"{path}: content differs from its sha256 in the index: altered or damaged"
    return None


def shard_faults(folder: Path, entry: ShardEntry) -> Iterator[str]:
    """Faults of one shard against its index entry: size, hash, structure, counts; each line names the file.

    A file that is not the one that was written is not opened: HDF5 is not made to be fed damage.
    """
    path = folder / entry.file
    if fault := file_fault(path, entry):
        yield fault
        return
    yield from content_faults(path, entry)


def content_faults(path: Path, entry: ShardEntry) -> Iterator[str]:
    """Faults of the file that was written: structure, counts."""
    try:
        with open_shard(path) as file:
            counts = (len(file["pairs/id"]), len(file["patches/pair"]))
    except DataError as error:
        yield str(error)
        return
    if counts != (entry.pairs, entry.patches):
        yield f"{path}: holds {counts[0]} pairs and {counts[1]} patches, the index says {entry.pairs}, {entry.patches}"


def index_faults(folder: Path, index: ShardIndex, threads: int = 4) -> list[str]:
    """Faults of every shard of a folder, in index order; hashing releases the GIL, so threads read in parallel."""
    with ThreadPoolExecutor(threads) as pool:
        return [fault for found in pool.map(lambda e: list(shard_faults(folder, e)), index.shards) for fault in found]
