"""Files that hold more than one picture, forms that Pillow tells the size of, and damage that OpenCV passes over."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline import images
from pipeline.images import UnreadableImageError
from pipeline.records import AlignedPair, Reject, read_rows

from ...conftest import Run, done, draw_pair

RGB, TIR = draw_pair(3)


def saved(form: str, array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, **options)
    return buffer.getvalue()


def several(form: str, *arrays: np.ndarray) -> bytes:
    return saved(form, arrays[0], save_all=True, append_images=[Image.fromarray(array) for array in arrays[1:]])


@pytest.mark.parametrize("form", ["TIFF", "WEBP", "GIF", "PNG"])
def test_more_than_one_picture_in_a_file_is_refused_naming_the_pages(form: str) -> None:
    pages = several(form, RGB, RGB[::-1].copy())
    for look in (images.picture_size, images.decode, images.check, images.decode_rgb, images.decode_tir):
        with pytest.raises(UnreadableImageError, match=r"two: holds 2 pictures \(page 1: 160x128, page 2: 160x128\)"):
            look(pages, "two")
    assert images.picture_size(saved(form, RGB), "one") == (160, 128)


def test_a_thumbnail_in_front_does_not_stand_for_the_picture() -> None:
    pages = several("TIFF", TIR[::4, ::4].copy(), TIR, TIR, TIR, TIR)
    with pytest.raises(UnreadableImageError, match=r"5 pictures \(page 1: 40x32, page 2: 160x128, .*, \.\.\.\): save"):
        images.decode_tir(pages, "thumb")


@pytest.mark.parametrize(
    "data",
    [
        saved("WEBP", RGB, lossless=True),
        saved("JPEG2000", RGB),
        saved("TIFF", RGB, compression="tiff_adobe_deflate"),
        saved("TIFF", RGB, compression="tiff_lzw"),
    ],
)
def test_other_forms_come_out_as_they_were_stored(data: bytes) -> None:
    assert np.array_equal(images.decode_rgb(data, "whole"), RGB)
    with pytest.raises(UnreadableImageError, match="half"):
        images.decode_rgb(data[: len(data) // 2], "half")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("compression", ["tiff_adobe_deflate", "tiff_lzw"])
def test_a_compressed_tiff_that_is_damaged_in_its_middle_is_refused(compression: str) -> None:
    whole = saved("TIFF", RGB, compression=compression)
    middle = len(whole) // 2
    data = whole[:middle] + bytes(200) + whole[middle + 200 :]
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None, "OpenCV would not notice"
    with pytest.raises(UnreadableImageError, match="holed: damaged picture"):
        images.decode(data, "holed")


@pytest.mark.usefixtures("registered")
def test_align_finds_webp_and_jpeg_2000_and_rejects_pages_by_name(tree: Path, prep: Run) -> None:
    for number, (suffix, form) in enumerate(((".webp", "WEBP"), (".jp2", "JPEG2000"), (".tif", "TIFF"))):
        for side, picture in zip(("visible", "lwir"), draw_pair(number)):
            old = tree / f"set00/V000/{side}/I0000{number}.jpg"
            old.unlink()
            data = several(form, picture, picture) if form == "TIFF" else saved(form, picture)
            old.with_suffix(suffix).write_bytes(data)
    done(prep("align", "--root", tree, "--out", tree.parent / "out", "--layout", "kaist"))
    rows = list(read_rows(tree.parent / "out/aligned.jsonl", AlignedPair))
    assert [row.rgb for row in rows][:2] == ["set00/V000/visible/I00000.webp", "set00/V000/visible/I00001.jp2"]
    (row,) = read_rows(tree.parent / "out/rejects.jsonl", Reject)
    assert row.reason == "decode"
    assert "set00/V000/visible/I00002.tif: holds 2 pictures (page 1: 160x128, page 2: 160x128)" in row.detail
