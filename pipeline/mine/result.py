"""What a run of ``mine`` hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from pipeline.detect.classes import counts_by_name
from pipeline.errors import DataError, first_fault
from pipeline.next_command import ANEW, made_again
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
        class_names: of the classes that COCO does not have.
        rejects: why pairs or boxes were left out -> how many.
        seconds: that the run took.
        fallbacks: pairs without a detection that got a random patch; None where the method has no such patches.
        fallback_ratio: their share of the pairs stored.
        tubes: what there is of tubes (docs/shards.md); None where nothing was followed.
        page: ``report.html``; None where none was asked for.
        files: all that lies there of what the command makes: files, and folders of what lies deeper.
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
    tubes: Mapping[str, Any] | None = None
    class_names: Mapping[int, str] = field(default_factory=dict)
    page: Path | None = None
    files: tuple[Path, ...] = ()

    @property
    def named_classes(self) -> dict[str, int]:
        """Patches by the name and number of their class."""
        return counts_by_name(self.classes, self.class_names, self.fallbacks or 0)

    @property
    def rejected_ratio(self) -> float:
        """Share of the pairs that were not stored."""
        return 1 - self.pairs / self.pairs_in

    @property
    def index(self) -> Path:
        """``index.json``."""
        return self.out / INDEX


_RESULT = TypeAdapter(MineResult)
COCO_ALONE: Mapping[int, str] = MappingProxyType({})
"""No class but COCO's has a name."""


def result_of(
    out: Path, totals: Mapping[str, object], seconds: float, class_names: Mapping[int, str] = COCO_ALONE
) -> MineResult:
    """The result that the totals of a folder's index tell, and the names of classes that COCO does not have.

    Raises:
        DataError: they are not what a run of ``mine`` wrote.
    """
    try:
        rest = {"out": out, "class_names": class_names or totals.get("class_names", {}), "seconds": seconds}
        return _RESULT.validate_python({**totals, **rest})
    except ValidationError as error:
        fault = first_fault(error)
        cure = made_again(out, *ANEW) or "mine again"
        raise DataError(f"{out / INDEX}: totals.{fault.key}: {fault.message}: {cure}") from error
