"""Writing a student in a format that its base tracker has."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import UsageError
from trainer.base_trackers import base_tracker
from trainer.checkpoints.weights import load_weights


def write_export(
    file: Path, tracker: str, kind: str | None, out: Path, *, own_backbone: bool = False
) -> tuple[str, list[Path]]:
    """Write the weights in a file in another format.

    Args:
        file: that :func:`~trainer.checkpoints.weights.load_weights` reads.
        tracker: the base tracker that they are of.
        kind: the format; None takes the tracker's first.
        out: file or folder.
        own_backbone: see :func:`~trainer.checkpoints.exports.opencv.export_opencv`.

    Returns:
        The format, and the files that were written.

    Raises:
        UsageError: the tracker has no such format, the format has no such choice, or ``out`` is of the other kind.
        DataError: the weights are not that tracker's.
    """
    try:
        formats = base_tracker(tracker).exports
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from None
    kind = kind or next(iter(formats))
    if kind not in formats:
        raise UsageError(f"--format {kind}: {tracker} can be exported as {' or '.join(formats)}")
    if own_backbone and kind != "opencv":
        raise UsageError(f"--own-backbone has no effect on --format {kind}, which takes any: leave it out")
    if kind == "opencv" and out.is_file():
        raise UsageError(f"--out {out}: is a file, and --format opencv writes two into a folder: name a folder")
    if kind != "opencv" and out.is_dir():
        raise UsageError(f"--out {out}: is a folder, and --format {kind} writes one file: name a file")
    choices = {"own_backbone": True} if own_backbone else {}
    files: list[Path] = base_tracker(tracker).exporter(kind)(load_weights(file), tracker, out, **choices)
    return kind, files
