"""What an export hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ExportResult:
    """A finished export; all but ``seconds`` follows from the shards and the settings.

    Attributes:
        out: the folder.
        pairs: pairs in it, each as two pictures.
        boxes: boxes in it.
        classes: name of a class -> its boxes, in the order of the numbers.
        numbers: name of a class -> its number in the files; -1 for none.
        left_out: boxes that are not in it, as they have no class.
        manifest: of the data set, as the shards name it; None where they do not.
        licence: of the pictures, in the words of that manifest; None where no manifest of that name ships.
        bytes: of the pictures.
        seconds: that the run took.
        files: all that lies there of what the command makes: files, and folders of what lies deeper.
    """

    out: Path
    pairs: int
    boxes: int
    classes: Mapping[str, int]
    numbers: Mapping[str, int]
    left_out: int
    manifest: str | None
    licence: str | None
    bytes: int
    seconds: float
    files: tuple[Path, ...]
