"""Bytes to pixels and back: whole pictures, or an error that names the file."""

from pipeline.images.decoding import Rgb, Tir, check, decode, decode_rgb, decode_tir, reduction, to_rgb, to_tir
from pipeline.images.encoding import encode, warp_to_rgb
from pipeline.images.headers import UnreadableImageError, picture_size, read_bytes, refusal

__all__ = [
    "Rgb",
    "Tir",
    "UnreadableImageError",
    "check",
    "decode",
    "decode_rgb",
    "decode_tir",
    "encode",
    "picture_size",
    "read_bytes",
    "reduction",
    "refusal",
    "to_rgb",
    "to_tir",
    "warp_to_rgb",
]
