"""What a run of ``align`` hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import DataError, first_fault
from pipeline.next_command import ANEW, made_again


@dataclass(frozen=True)
class Truth:
    """Error of the estimates where the truth is known, in RGB pixels: the mean distance of the four TIR corners."""

    pairs: int
    median_px: float
    p95_px: float
    over_5px: float


@dataclass(frozen=True)
class Camera:
    """What is known of the matrix that the pairs of one camera share, and whether they bear it out.

    Attributes:
        model: of the matrix.
        trusted: whether two halves of the frames agree on it; if not, the pairs were registered one by one.
        split: how far they disagree, RGB pixels.
        pairs: of this camera.
        drift: median distance between this matrix and what fits a pair, RGB pixels.
        moved: pairs of runs that fit another matrix.
        moved_from: the first of them.
    """

    model: str
    trusted: bool
    split: float | None
    pairs: int
    drift: float | None
    moved: int
    moved_from: str | None


@dataclass(frozen=True)
class AlignResult:
    """A finished folder of aligned pairs; all but ``seconds`` follows from the input and the settings.

    Attributes:
        out: the folder.
        manifest: the data set's manifest or layout.
        layout_reason: why that one.
        pairs_in: pairs found.
        aligned: pairs kept, one row each in :attr:`rows`.
        rejected: pairs left out, one row each in :attr:`rejects`.
        rejected_ratio: their share.
        reasons: why they were left out -> how many.
        flags: doubts about pairs that were kept -> how many.
        models: what was fitted -> how many.
        score_quantiles: 0, 5, 25, 50, 75, 95 and 100 % of the scores kept.
        cameras: those whose pairs share a matrix.
        seconds: that the run took; of the earlier one where the folder was finished and is kept.
        notes: what should be told of how pairs were found.
        truth: the error, where the data set comes with its truth.
        page: the report, one HTML file; None where it was not asked for.
        files: all that lies there of what the command makes: files, and folders of what lies deeper.
    """

    out: Path
    manifest: str
    layout_reason: str
    pairs_in: int
    aligned: int
    rejected: int
    rejected_ratio: float
    reasons: Mapping[str, int]
    flags: Mapping[str, int]
    models: Mapping[str, int]
    score_quantiles: tuple[float, ...]
    cameras: Mapping[str, Camera]
    seconds: float
    notes: tuple[str, ...] = ()
    truth: Truth | None = None
    page: Path | None = None
    files: tuple[Path, ...] = ()

    @property
    def rows(self) -> Path:
        """``aligned.jsonl``."""
        return self.out / "aligned.jsonl"

    @property
    def rejects(self) -> Path:
        """``rejects.jsonl``."""
        return self.out / "rejects.jsonl"


_RESULT = TypeAdapter(AlignResult)


def result_of(out: Path, summary: Mapping[str, object]) -> AlignResult:
    """The result that ``align.json`` of a folder tells, without a page.

    Raises:
        DataError: it is not what a run of ``align`` wrote.
    """
    try:
        return _RESULT.validate_python({**summary, "out": out})
    except ValidationError as error:
        fault = first_fault(error)
        cure = made_again(out, *ANEW) or "align again"
        raise DataError(f"{out / 'align.json'}: {fault.key}: {fault.message}: {cure}") from error
