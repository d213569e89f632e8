"""The pictures of an aligned pair: whether they are still those, whole, and their pixels where somebody needs them."""

from __future__ import annotations

from pipeline import images
from pipeline.files.hashing import bytes_sha256
from pipeline.records import AlignedPair


def rgb(row: AlignedPair, data: bytes, *, needed: bool) -> images.Rgb | None:
    """The visible picture if its pixels are needed; seen to be the one that was aligned, and whole, in any case.

    Args:
        row: of ``aligned.jsonl``.
        data: the file's bytes.
        needed: whether pixels are asked for.

    Returns:
        (H, W, 3) R, G, B, or None.

    Raises:
        UnreadableImageError: it is damaged, another file, or of another size.
    """
    known = _known(row.rgb, data, row.rgb_sha256)
    pixels = images.decode_rgb(data, row.rgb) if needed else None
    if pixels is not None:
        size = (pixels.shape[1], pixels.shape[0])
    else:
        size = images.picture_size(data, row.rgb) if known else images.check(data, row.rgb)
    _same_size(row.rgb, size, row.rgb_size)
    return pixels


def tir(row: AlignedPair, data: bytes, *, needed: bool) -> images.Tir | None:
    """As :func:`rgb`, the thermal picture; its colours are looked at where ``align`` has not done so."""
    known = _known(row.tir, data, row.tir_sha256)
    pixels = images.decode_tir(data, row.tir, row.tir_range) if needed else None
    if pixels is not None:
        size = (pixels.shape[1], pixels.shape[0])
        if not known:
            images.refuse_false_colours(data, row.tir)
    else:
        size = images.picture_size(data, row.tir) if known else images.check_tir(data, row.tir, row.tir_range)[0]
    _same_size(row.tir, size, row.tir_size)
    return pixels


def _known(name: str, data: bytes, sha256: str | None) -> bool:
    """Whether a file's bytes are those that were looked through when they were aligned; False where nobody knows.

    Raises:
        ChangedFileError: they are not.
    """
    if sha256 is not None and sha256 != bytes_sha256(data):
        told = "is another file now than when it was aligned: restore it, or align again"
        raise images.ChangedFileError(f"{name}: {told}")
    return sha256 is not None


def _same_size(name: str, now: tuple[int, int], aligned: tuple[int, int]) -> None:
    if now != aligned:
        raise images.UnreadableImageError(f"{name}: is {now} now, was {aligned} when aligned: align again")
