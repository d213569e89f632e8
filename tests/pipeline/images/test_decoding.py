"""Bytes to pixels: whole pictures in every accepted form, and every kind of damage refused by name."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline import images
from pipeline.images import UnreadableImageError

from ...conftest import draw_pair

RGB, TIR = draw_pair(3)


def written(form: str, array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, **options)
    return buffer.getvalue()


WHOLE = {
    "baseline.jpg": written("JPEG", RGB),
    "progressive.jpg": written("JPEG", RGB, progressive=True),
    "restarts.jpg": cv2.imencode(".jpg", RGB, [cv2.IMWRITE_JPEG_RST_INTERVAL, 4])[1].tobytes(),
    "picture.png": written("PNG", RGB),
    "picture.bmp": written("BMP", RGB),
    "plain.tif": written("TIFF", RGB),
    "lzw.tif": written("TIFF", RGB, compression="tiff_lzw"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_picture_is_decoded_with_the_size_of_its_header(name: str) -> None:
    assert images.picture_size(WHOLE[name], name) == (160, 128)
    assert images.decode(WHOLE[name], name).shape == (128, 160, 3)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_cut_short_is_refused_by_name(name: str, share: float) -> None:
    data = WHOLE[name][: int(len(WHOLE[name]) * share)]
    with pytest.raises(UnreadableImageError, match=re.escape(name)):
        images.decode(data, name)


def test_a_jpeg_cut_in_half_is_refused_even_when_its_thumbnail_is_whole() -> None:
    thumbnail = images.encode(RGB[:16, :16], ".jpg")
    app1 = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = WHOLE["baseline.jpg"]
    assert images.decode(data[:2] + app1 + data[2:], "thumb").shape == (128, 160, 3)
    with pytest.raises(UnreadableImageError, match="truncated"):
        images.decode((data[:2] + app1 + data[2:])[: len(data) // 2 + len(app1)], "thumb")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "empty"),
        (b"not a picture\n" * 20, "not a picture"),
        (b"\xff\xd8", "truncated"),
        (b"\xff\xd8" + b"\xff" * 5000, "truncated"),
        (b"\xff\xd8\xff\xe0\x00\x00" * 900, "truncated"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 60 + b"IEND", "damaged"),
        (cv2.imencode(".tiff", np.ones((9, 9), np.int32))[1].tobytes(), "int32"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(data: bytes, fault: str) -> None:
    with pytest.raises(UnreadableImageError, match=f"odd name: .*{fault}"):
        images.decode(data, "odd name")


def test_what_ultralytics_does_to_pillow_does_not_reach_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own Image.open ends with ModuleNotFoundError for a file that is no picture: one bad file ended a run."""
    monkeypatch.setattr(Image, "open", lambda *what: pytest.fail("the patched function was called"))
    assert images.decode(WHOLE["picture.bmp"], "whole").shape == (128, 160, 3)
    with pytest.raises(UnreadableImageError, match="text: not a picture"):
        images.decode(b"words" * 99, "text")


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*"]))
def test_any_bytes_give_a_picture_or_the_one_error(data: bytes, head: bytes) -> None:
    try:
        assert images.decode(head + data, "fuzz").size > 0
    except UnreadableImageError as error:
        assert "fuzz" in str(error)


def test_a_header_that_claims_an_enormous_picture_is_refused_before_it_is_decoded() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableImageError, match="50000x50000"):
        images.decode(data, "bomb")


def test_colours_come_out_as_r_g_b_whatever_was_stored() -> None:
    grey_alpha = np.dstack([TIR, TIR])
    alpha = np.dstack([RGB, TIR])
    assert np.array_equal(images.decode_rgb(written("PNG", RGB), "rgb"), RGB)
    assert np.array_equal(images.decode_rgb(written("PNG", alpha), "rgba"), RGB)
    for one in (TIR, grey_alpha):
        assert np.array_equal(images.decode_rgb(written("PNG", one), "grey"), np.dstack([TIR] * 3))
    with pytest.raises(UnreadableImageError, match="deep: visible picture has uint16"):
        images.decode_rgb(cv2.imencode(".png", RGB.astype(np.uint16))[1].tobytes(), "deep")


def test_the_orientation_tag_is_ignored_because_the_other_camera_has_none() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert images.decode_rgb(written("JPEG", RGB, exif=exif), "turned").shape == RGB.shape


def test_thermal_pictures_of_three_channels_and_of_16_bits() -> None:
    assert np.array_equal(images.decode_tir(written("PNG", np.dstack([TIR] * 3)), "t"), TIR)
    raw = np.array([[0, 1000, 1510, 2020, 65535]], np.uint16)
    data = cv2.imencode(".png", raw)[1].tobytes()
    assert images.decode_tir(data, "t", (1000, 2020)).tolist() == [[0, 0, 128, 255, 255]]
    with pytest.raises(UnreadableImageError, match="--tir-range"):
        images.decode_tir(data, "t")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_encode_turns_back(suffix: str) -> None:
    loss = 0 if suffix == ".png" else 6
    for picture, decode in ((RGB, images.decode_rgb), (TIR, images.decode_tir)):
        again = decode(images.encode(picture, suffix), "again").astype(int)
        assert np.abs(again - picture).mean() <= loss
    assert images.encode(RGB, suffix) == images.encode(RGB, suffix)


def test_warping_moves_pixel_centres_and_repeats_the_border() -> None:
    shift = np.array([[1, 0, 7], [0, 1, -3], [0, 0, 1.0]])
    warped = images.warp_to_rgb(TIR, shift, (160, 128))
    assert np.array_equal(warped[:100, 20:150], TIR[3:103, 13:143])
    assert (warped[:100, :7] == TIR[3:103, :1]).all()
    assert np.array_equal(images.warp_to_rgb(TIR, np.eye(3), (160, 128)), TIR)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.jpg", tmp_path):
        with pytest.raises(UnreadableImageError, match=re.escape(str(path))):
            images.read_bytes(path)


def test_jpegs_are_decoded_to_the_colours_that_are_asked_for() -> None:
    """By the decoder itself: the same pixels as decoding first and converting then, and luminance where it is gray."""
    rng = np.random.default_rng(3)
    colour = cv2.resize(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8), (160, 120)).astype(np.uint8)
    data = images.encode(colour, ".jpg")
    assert np.array_equal(images.decode_rgb(data, "x"), images.to_rgb(images.decode(data, "x"), "x"))
    gray = np.ascontiguousarray(colour[..., 1])
    for alike in (gray, np.repeat(gray[..., None], 3, axis=2)):
        stored = images.encode(alike, ".jpg", quality=100)
        thermal = images.decode_tir(stored, "x").astype(int)
        assert thermal.shape == gray.shape
        assert np.abs(thermal - images.to_tir(images.decode(stored, "x"), "x")).max() <= 1


def signed(values: np.ndarray) -> bytes:
    """A plain TIFF of int16, which OpenCV does not write."""
    height, width = values.shape
    content = values.astype("<i2").tobytes()
    tags = {256: width, 257: height, 258: 16, 259: 1, 262: 1, 273: 134, 277: 1, 278: height, 279: len(content), 339: 2}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + content


@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_signed_and_floating_point_values_take_the_range_that_is_given(kind: str) -> None:
    values = np.array([[-100.0, 0, 50, 155, 1000]])
    data = signed(values) if kind == "int16" else cv2.imencode(".tiff", values.astype(np.float32))[1].tobytes()
    assert images.decode(data, "t").dtype == kind
    assert images.decode_tir(data, "t", (0, 255)).tolist() == [[0, 0, 50, 155, 255]]
    assert images.check_tir(data, "t", (0, 255)) == ((5, 1), True)
    with pytest.raises(UnreadableImageError, match="--tir-range LOW,HIGH"):
        images.decode_tir(data, "t")
    with pytest.raises(UnreadableImageError, match="visible picture has"):
        images.decode_rgb(data, "t")


def test_values_that_are_no_numbers_are_refused() -> None:
    data = cv2.imencode(".tiff", np.array([[1, np.nan, 3]], np.float32))[1].tobytes()
    with pytest.raises(UnreadableImageError, match="values that are no numbers"):
        images.decode_tir(data, "t", (0, 255))


def test_a_jpeg_among_raw_values_is_refused_whoever_looks() -> None:
    data = images.encode(np.full((32, 32), 90, np.uint8), ".jpg")
    for look in (images.check_tir, images.decode_tir):
        with pytest.raises(UnreadableImageError, match=r"x\.jpg: 8-bit thermal picture in a sequence"):
            look(data, "x.jpg", (1000.0, 2000.0))
