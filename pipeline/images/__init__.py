"""Bytes to pixels and back: whole pictures, or an error that names the file."""

from pipeline.images.decoding import (
    Raw,
    Rgb,
    Tir,
    check,
    check_tir,
    chroma,
    decode,
    decode_rgb,
    decode_tir,
    in_colour,
    reduction,
    refuse_false_colours,
    to_rgb,
    to_tir,
)
from pipeline.images.encoding import encode, warp_to_rgb
from pipeline.images.headers import (
    ChangedFileError,
    FalseColourError,
    UnreadableImageError,
    read_bytes,
    read_with_state,
    refusal,
)
from pipeline.images.orientation import is_turned
from pipeline.images.sizes import picture_size
from pipeline.images.suffixes import picture_suffix

__all__ = [
    "ChangedFileError",
    "FalseColourError",
    "Raw",
    "Rgb",
    "Tir",
    "UnreadableImageError",
    "check",
    "check_tir",
    "chroma",
    "decode",
    "decode_rgb",
    "decode_tir",
    "encode",
    "in_colour",
    "is_turned",
    "picture_size",
    "picture_suffix",
    "read_bytes",
    "read_with_state",
    "reduction",
    "refusal",
    "refuse_false_colours",
    "to_rgb",
    "to_tir",
    "warp_to_rgb",
]
