"""An orientation tag is ignored, and told."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline import images
from pipeline.images import UnreadableImageError
from pipeline.records import AlignedPair, read_rows

from ...conftest import IDENTITY, Run, done, draw_pair

RGB, TIR = draw_pair(3)


def tagged(form: str, orientation: int | None, array: np.ndarray = RGB) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_tag_that_turns_is_seen_and_pixels_stay_as_they_are_stored(form: str) -> None:
    for orientation, turned in ((6, True), (2, True), (1, False), (None, False), (0, False)):
        data = tagged(form, orientation)
        assert images.is_turned(data, "x") == turned
        assert images.decode_rgb(data, "x").shape == RGB.shape


def test_a_turned_tiff_is_refused_since_opencv_would_turn_it() -> None:
    assert np.array_equal(images.decode_rgb(tagged("TIFF", 1), "x"), RGB)
    for orientation in (2, 3, 6, 8):
        with pytest.raises(UnreadableImageError, match="x: TIFF with an orientation tag that turns it"):
            images.decode_rgb(tagged("TIFF", orientation), "x")


def test_damaged_tags_turn_nothing() -> None:
    data = tagged("JPEG", 6)
    at = data.index(b"Exif") + 6
    assert not images.is_turned(data[:at] + b"?" * 12 + data[at + 12 :], "x")


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("applied", [False, True])
def test_align_flags_and_counts_them_and_mine_tells_of_those_that_are_flagged(
    tree: Path, prep: Run, applied: bool, caplog: pytest.LogCaptureFixture
) -> None:
    (tree / "set00/V000/visible/I00001.jpg").write_bytes(tagged("JPEG", 6))
    known = tree.parent / "known.json"
    known.write_text(json.dumps({"cameras": {f"set00/V00{n}": {"homography": IDENTITY} for n in (0, 1)}}))
    words = ("--homographies", known, "--min-score", 0) if applied else ()
    out = tree.parent / "out"
    done(prep("align", "--root", tree, "--out", out, "--layout", "kaist", *words))
    flagged = [row.frame for row in read_rows(out / "aligned.jsonl", AlignedPair) if "exif_orientation" in row.flags]
    assert flagged == ["I00001"]
    assert json.loads((out / "align.json").read_text())["flags"]["exif_orientation"] == 1
    assert "1 pairs have a picture whose EXIF orientation would turn it; it is ignored" in caplog.text
    caplog.clear()
    done(prep("mine", "--aligned", out, "--root", tree, "--method", "center", "--out", out / "shards"))
    assert "1 pairs have a picture whose EXIF orientation would turn it; it is ignored" in caplog.text
    (out / "aligned.jsonl").write_text(
        (out / "aligned.jsonl").read_text().replace('"exif_orientation"', '"unverified"')
    )
    caplog.clear()
    done(prep("mine", "--aligned", out, "--root", tree, "--method", "center", "--out", out / "again"))
    assert "EXIF" not in caplog.text
