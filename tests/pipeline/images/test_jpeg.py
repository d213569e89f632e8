"""JPEGs that lost a part are refused wherever they are read, sound ones come out as OpenCV decodes them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline import images
from pipeline.images import UnreadableImageError
from pipeline.records import AlignedPair, Reject, read_rows

from ...conftest import IDENTITY, Data, Run, done, draw_pair

RGB, TIR = draw_pair(3, (161, 127))
END = b"\xff\xd9"


def saved(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", **{"quality": 90, **options})
    return buffer.getvalue()


def restarting(array: np.ndarray, interval: int = 4) -> bytes:
    return cv2.imencode(".jpg", array, [cv2.IMWRITE_JPEG_RST_INTERVAL, interval])[1].tobytes()


SOUND = {
    "grey": saved(TIR),
    "grey progressive": saved(TIR, progressive=True),
    **{f"subsampling {kind}": saved(RGB, subsampling=kind) for kind in (0, 1, 2)},
    **{f"progressive {kind}": saved(RGB, subsampling=kind, progressive=True) for kind in (0, 1, 2)},
    "as R, G, B": saved(RGB, keep_rgb=True),
    "quality 100": saved(RGB, quality=100),
    "restart markers": restarting(RGB),
}


def halved(data: bytes) -> bytes:
    """Without its middle, but with its end."""
    return data[: len(data) // 2] + END


def holed(data: bytes) -> bytes:
    """Without a quarter out of its middle; all after it is there."""
    return data[: len(data) // 2] + data[len(data) * 3 // 4 :]


@pytest.mark.parametrize("name", SOUND)
def test_the_pixels_are_those_of_opencv(name: str) -> None:
    data = SOUND[name]

    def opencv(flags: int) -> np.ndarray:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)

    assert np.array_equal(images.decode(data, name), opencv(cv2.IMREAD_UNCHANGED))
    steps = {1: (cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE)}
    steps |= {2: (cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_GRAYSCALE_2)}
    steps |= {4: (cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_GRAYSCALE_4)}
    for reduce, (colour, grey) in steps.items():
        assert np.array_equal(images.decode_rgb(data, name, reduce), opencv(colour)[..., ::-1])
        assert np.array_equal(images.decode_tir(data, name, reduce=reduce), opencv(grey))


@pytest.mark.parametrize("damage", [halved, holed])
@pytest.mark.parametrize("name", SOUND)
def test_a_picture_that_lost_its_middle_is_refused_by_every_decoder(
    name: str, damage: Callable[[bytes], bytes]
) -> None:
    data = damage(SOUND[name])
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None, "OpenCV would not notice"
    for decoder in (images.check, images.decode, images.decode_rgb, images.decode_tir):
        with pytest.raises(UnreadableImageError, match="a name: damaged picture"):
            decoder(data, "a name")
    for reduce in (2, 4):
        with pytest.raises(UnreadableImageError, match="a name: damaged picture"):
            images.decode_rgb(data, "a name", reduce)


def scans_of(data: bytes) -> list[int]:
    return [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]


@pytest.mark.parametrize("name", ["grey progressive", "progressive 0", "progressive 2"])
def test_a_progressive_picture_that_lacks_its_last_scans_is_refused(name: str) -> None:
    """It ends between two scans, where libjpeg has nothing to complain of."""
    data = SOUND[name]
    assert len(scans_of(data)) > 4
    for at in scans_of(data)[1:]:
        with pytest.raises(UnreadableImageError, match=r"a name: damaged picture \(progressive JPEG that"):
            images.check(data[:at] + END, "a name")
    with pytest.raises(UnreadableImageError, match="lacks scans"):
        images.check(data[: scans_of(data)[3]] + END + data, "with a whole one behind it")


@pytest.mark.parametrize("tail", [b"words" * 99, b"\0" * 5000, SOUND["grey"], b"\xff"])
@pytest.mark.parametrize("name", SOUND)
def test_what_follows_the_end_marker_counts_for_nothing(name: str, tail: bytes) -> None:
    assert images.check(SOUND[name] + tail, name) == (161, 127)
    assert np.array_equal(images.decode(SOUND[name] + tail, name), images.decode(SOUND[name], name))


def test_fill_bytes_before_a_marker_are_no_damage() -> None:
    data = SOUND["grey"]
    assert images.check(data[:-2] + b"\xff" * 3 + END, "filled") == (161, 127)


def test_a_picture_for_print_is_refused_and_told_what_to_do() -> None:
    buffer = io.BytesIO()
    Image.fromarray(RGB).convert("CMYK").save(buffer, "JPEG")
    with pytest.raises(UnreadableImageError, match=r"inked: JPEG of 4 channels \(CMYK\?\): convert it to R, G, B"):
        images.decode_rgb(buffer.getvalue(), "inked")


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("applied", [False, True])
def test_half_pictures_are_rejects_of_align_and_the_rest_is_kept(tree: Path, prep: Run, applied: bool) -> None:
    """With a known matrix that is merely applied, too, where no visible pixel is needed."""
    hurt = [tree / "set00/V000/visible/I00001.jpg", tree / "set00/V001/lwir/I00002.jpg"]
    for path in hurt:
        path.write_bytes(halved(path.read_bytes()))
    known = tree.parent / "known.json"
    known.write_text(json.dumps({"cameras": {f"set00/V00{n}": {"homography": IDENTITY} for n in (0, 1)}}))
    words = ("--homographies", known, "--min-score", 0) if applied else ()
    done(prep("align", "--root", tree, "--out", tree.parent / "out", "--layout", "kaist", *words))
    rejects = list(read_rows(tree.parent / "out/rejects.jsonl", Reject))
    assert [(row.pair_id, row.reason) for row in rejects] == [
        ("set00/V000/I00001", "decode"),
        ("set00/V001/I00002", "decode"),
    ]
    for row, path in zip(rejects, hurt):
        assert f"{path.relative_to(tree)}: damaged picture" in row.detail
    rows = list(read_rows(tree.parent / "out/aligned.jsonl", AlignedPair))
    assert len(rows) == 4
    assert all(("unverified" in row.flags) == applied for row in rows)


@pytest.mark.parametrize("patch_size", [0, 100])
@pytest.mark.parametrize("side", ["rgb", "tir"])
def test_half_pictures_are_rejects_of_mine(data: Data, prep: Run, side: str, patch_size: int) -> None:
    path = data.root / getattr(data.rows[2], side)
    path.write_bytes(halved(images.encode(cv2.imread(str(path)), ".jpg")))
    out = data.root.parent / "shards"
    done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", out, "--patch-size", patch_size))
    (row,) = read_rows(out / "rejects.jsonl", Reject)
    assert (row.pair_id, row.reason) == ("seq0/2", "decode")
    assert path.name in row.detail
    done(prep("verify", out, "--deep"))
