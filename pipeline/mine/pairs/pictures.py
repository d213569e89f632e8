"""The pictures of an aligned pair: whether they are still those, whole, and their pixels where somebody needs them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import stat_result as State

from pipeline import images
from pipeline.files.hashing import bytes_sha256
from pipeline.files.sightings import sighting
from pipeline.records import AlignedPair


def rgb(row: AlignedPair, data: bytes, *, needed: bool) -> images.Rgb | None:
    """The visible picture if its pixels are needed; a file without a hash is looked through in any case.

    Args:
        row: of ``aligned.jsonl``.
        data: the file's bytes; whether they are those of the hash is another question (:func:`refuse_changed`).
        needed: whether pixels are asked for.

    Returns:
        (H, W, 3) R, G, B, or None.

    Raises:
        UnreadableImageError: it is damaged, or of another size.
    """
    if needed:
        pixels = images.decode_rgb(data, row.rgb)
        _same_size(row.rgb, (pixels.shape[1], pixels.shape[0]), row.rgb_size)
        return pixels
    if row.rgb_sha256 is None:
        _same_size(row.rgb, images.check(data, row.rgb), row.rgb_size)
    return None


def tir(row: AlignedPair, data: bytes, *, needed: bool) -> images.Tir | None:
    """As :func:`rgb`, the thermal picture; its colours are looked at where ``align`` has not done so."""
    if needed:
        pixels = images.decode_tir(data, row.tir, row.tir_range)
        _same_size(row.tir, (pixels.shape[1], pixels.shape[0]), row.tir_size)
        if row.tir_sha256 is None:
            images.refuse_false_colours(data, row.tir)
        return pixels
    if row.tir_sha256 is None:
        _same_size(row.tir, images.check_tir(data, row.tir, row.tir_range)[0], row.tir_size)
    return None


def unseen(row: AlignedPair, rgb: State | None, tir: State | None, seen: Collection[int]) -> dict[str, str]:
    """The files of a pair, by side, that are not in the state in which ``align`` hashed them, with their hash then.

    Whether they have changed only their bytes can tell (:func:`refuse_changed`); of a row without hashes nobody knows.
    """
    sides = ("rgb", rgb, row.rgb_sha256), ("tir", tir, row.tir_sha256)
    return {
        side: sha256
        for side, state, sha256 in sides
        if sha256 is not None and (state is None or sighting(state, sha256) not in seen)
    }


def refuse_changed(row: AlignedPair, unseen: Mapping[str, str], data: Mapping[str, bytes]) -> None:
    """See to it that bytes are those that were looked through when they were aligned.

    Args:
        row: of ``aligned.jsonl``.
        unseen: sides to look at, with the hash of each (:func:`unseen`).
        data: bytes by side.

    Raises:
        ChangedFileError: they are not.
    """
    for side, sha256 in unseen.items():
        if sha256 != bytes_sha256(data[side]):
            told = "is another file now than when it was aligned: restore it, or align again"
            raise images.ChangedFileError(f"{getattr(row, side)}: {told}")


def _same_size(name: str, now: tuple[int, int], aligned: tuple[int, int]) -> None:
    if now != aligned:
        raise images.UnreadableImageError(f"{name}: is {now} now, was {aligned} when aligned: align again")
