"""What a run of ``mine`` hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from pipeline.errors import DataError, first_fault
from pipeline.shards.index import INDEX


@dataclass(frozen=True)
class MineResult:
    """A finished folder of shards; all but ``seconds`` follows from the input and the settings.

    Attributes:
        out: the folder; ``pipeline.shards.open_shards`` reads it.
        pairs_in: aligned pairs that there were.
        pairs: pairs stored.
        patches: patches stored.
        bytes: size of the shards.
        classes: detector class, ``"-1"`` for none -> patches.
        rejects: why pairs or boxes were left out -> how many.
        seconds: that the run took.
        fallbacks: pairs without a detection that got a random patch; None where the method has no such patches.
        fallback_ratio: their share of the pairs stored.
    """

    out: Path
    pairs_in: Annotated[int, Field(gt=0)]
    pairs: int
    patches: int
    bytes: int
    classes: Mapping[str, int]
    rejects: Mapping[str, int]
    seconds: float
    fallbacks: int | None = None
    fallback_ratio: float = 0.0

    @property
    def rejected_ratio(self) -> float:
        """Share of the pairs that were not stored."""
        return 1 - self.pairs / self.pairs_in

    @property
    def index(self) -> Path:
        """``index.json``."""
        return self.out / INDEX


_RESULT = TypeAdapter(MineResult)


def result_of(out: Path, totals: Mapping[str, object], seconds: float) -> MineResult:
    """The result that the totals of a folder's index tell.

    Raises:
        DataError: they are not what a run of ``mine`` wrote.
    """
    try:
        return _RESULT.validate_python({**totals, "out": out, "seconds": seconds})
    except ValidationError as error:
        fault = first_fault(error)
        raise DataError(f"{out / INDEX}: totals.{fault.key}: {fault.message}: mine again") from error
