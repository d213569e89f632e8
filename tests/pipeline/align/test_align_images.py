"""``--write-images``: aligned pictures in a layout that align itself reads."""

import json
from pathlib import Path

import cv2
import numpy as np

from pipeline import align
from pipeline.align import AlignConfig
from pipeline.records import AlignedPair, read_rows

from ...conftest import draw_pair


def test_written_pictures_lie_on_one_another(tmp_path: Path) -> None:
    rgb, tir = draw_pair(3)
    moved = cv2.warpAffine(tir, np.array([[1.0, 0, -4], [0, 1, -2]]), tir.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    for side, picture in (("visible", rgb), ("lwir", moved)):
        (tmp_path / "data/set00/V000" / side).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "data/set00/V000" / side / "I00000.png"), picture)
    homographies = tmp_path / "rig.json"
    rig = {"homography": [1, 0, 4, 0, 1, 2, 0, 0, 1]}
    homographies.write_text(json.dumps({"cameras": {"set00/V000": rig, "set00": rig}}))
    out = tmp_path / "out"
    config = AlignConfig(
        root=tmp_path / "data", out=out, homographies=homographies, write_images=True, min_score=0, manifest="kaist"
    )
    align.run(config)
    written = out / "images/set00/V000"
    assert (written / "visible/I00000.png").read_bytes() == (
        tmp_path / "data/set00/V000/visible/I00000.png"
    ).read_bytes()
    back = cv2.imread(str(written / "lwir/I00000.png"), cv2.IMREAD_UNCHANGED)
    inner = (slice(6, -6), slice(8, -8))
    assert np.abs(back[inner].astype(int) - tir[inner]).max() <= 1
    again = align.run(AlignConfig(root=out / "images", out=tmp_path / "again", min_score=0, model="identity"))
    assert again.aligned == 1
    assert next(read_rows(tmp_path / "again/aligned.jsonl", AlignedPair)).model == "identity"
