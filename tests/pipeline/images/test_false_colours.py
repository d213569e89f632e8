"""Thermal pictures in the colours of a palette: one test for all, and nobody takes them for grey."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline import images
from pipeline.images import FalseColourError
from pipeline.records import Reject, read_rows

from ...conftest import IDENTITY, Data, Run, done, draw_pair

RGB, TIR = draw_pair(3)
PALETTES = {
    "jet": cv2.COLORMAP_JET,
    "inferno": cv2.COLORMAP_INFERNO,
    "hot": cv2.COLORMAP_HOT,
    "rainbow": cv2.COLORMAP_RAINBOW,
    "bone": cv2.COLORMAP_BONE,
}


def painted(palette: str, tir: np.ndarray = TIR) -> np.ndarray:
    return cv2.applyColorMap(tir, PALETTES[palette])[..., ::-1].copy()


def marked() -> np.ndarray:
    """Grey, with a coloured mark in a corner."""
    picture = np.dstack([TIR] * 3)
    picture[4:16, 4:24] = (255, 0, 0)
    return picture


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("palette", PALETTES)
def test_colours_of_a_palette_are_refused_with_the_remedy(palette: str, suffix: str) -> None:
    data = images.encode(painted(palette), suffix)
    with pytest.raises(FalseColourError, match=r"warm: thermal picture in false colours .* export it in grey"):
        images.check_tir(data, "warm")
    assert images.in_colour(images.decode(data, "warm"))


def test_noise_of_jpeg_a_coloured_mark_and_equal_channels_pass() -> None:
    for picture in (np.dstack([TIR] * 3), marked()):
        for suffix, quality in ((".png", 95), (".jpg", 95), (".jpg", 20)):
            data = images.encode(picture, suffix, quality)
            assert images.check_tir(data, "grey") == ((160, 128), False)
            assert images.decode_tir(data, "grey").shape == TIR.shape


def test_values_of_16_bits_are_held_against_their_own_scale() -> None:
    deep = cv2.imencode(".png", np.dstack([TIR.astype(np.uint16) * 50] * 3))[1].tobytes()
    assert images.check_tir(deep, "deep", (0, 12750)) == ((160, 128), True)
    colour = cv2.imencode(".png", painted("jet").astype(np.uint16) * 257)[1].tobytes()
    with pytest.raises(FalseColourError):
        images.check_tir(colour, "deep", (0, 65535))


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("grey_rgb", [False, True])
def test_align_rejects_them_whatever_the_visible_picture_is(
    tree: Path, prep: Run, applied: bool, grey_rgb: bool
) -> None:
    hurt = tree / "set00/V000/lwir/I00001.jpg"
    hurt.write_bytes(images.encode(painted("inferno"), ".jpg"))
    if grey_rgb:
        (tree / "set00/V000/visible/I00001.jpg").write_bytes(images.encode(RGB[..., 0].copy(), ".jpg"))
    known = tree.parent / "known.json"
    known.write_text(json.dumps({"cameras": {f"set00/V00{n}": {"homography": IDENTITY} for n in (0, 1)}}))
    words = ("--homographies", known, "--min-score", 0) if applied else ()
    done(prep("align", "--root", tree, "--out", tree.parent / "out", "--layout", "kaist", *words))
    (row,) = read_rows(tree.parent / "out/rejects.jsonl", Reject)
    assert (row.pair_id, row.reason) == ("set00/V000/I00001", "false_colour")
    assert "set00/V000/lwir/I00001.jpg: thermal picture in false colours" in row.detail


@pytest.mark.parametrize("patch_size", [0, 100])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_mine_rejects_them_in_rows_that_an_earlier_version_aligned(
    data: Data, prep: Run, suffix: str, patch_size: int
) -> None:
    (data.root / data.rows[0].tir).write_bytes(images.encode(painted("jet"), suffix))
    out = data.root.parent / "shards"
    done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", out, "--patch-size", patch_size))
    (row,) = read_rows(out / "rejects.jsonl", Reject)
    assert (row.pair_id, row.reason) == ("seq0/0", "false_colour")
