"""`cmd-prep doctor`: what is there and what would go wrong, in one table, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline import images
from pipeline.doctor import DoctorConfig, Line, diagnosis, run, stage
from pipeline.pairing.registration import overlays

from ...conftest import Run, done, draw_tree, told


def lines(root: Path, **options: object) -> dict[str, Line]:
    """What the doctor says of a folder, by what was looked at."""
    return {line.check: line for line in run(DoctorConfig.model_validate({"root": root} | options)).lines}


def amiss(root: Path, **options: object) -> dict[str, str]:
    """The same of what is worth a look alone."""
    return {check: line.found for check, line in lines(root, **options).items() if line.amiss}


def rewrite(path: Path, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    """Write a picture again under its name, changed; colours are R, G, B."""
    picture = images.decode(path.read_bytes(), path.name)
    changed = change(np.ascontiguousarray(picture if picture.ndim == 2 else picture[..., ::-1]).astype(np.uint8))
    path.write_bytes(images.encode(changed, path.suffix))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A KAIST-style tree: two sequences of three pairs, which have no grey value in common."""
    root = draw_tree(tmp_path / "data")
    for path in root.rglob("*.jpg"):
        rewrite(path, lambda picture: picture // 3 + (0 if picture.ndim == 2 else 120))
    return root


def framed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with a white frame drawn into it."""
    cv2.rectangle(picture, (20, 16), (139, 111), (255, 255, 255), 3)
    return picture


def test_a_sound_folder_is_told_in_a_table_and_left_as_it_is(tree: Path, prep: Run) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in tree.parent.rglob("*"))
    table = done(prep("doctor", tree, "--workers", 1))
    assert "kaist" in table
    assert "6 in 2 sequences" in table
    assert "160x128 (6)" in table
    assert "!" not in table
    assert sorted((path, path.stat().st_mtime_ns) for path in tree.parent.rglob("*")) == before


def test_what_is_wrong_with_pictures_is_counted_and_named(tree: Path, prep: Run) -> None:
    first = tree / "set00/V000"
    (first / "lwir/I00000.jpg").unlink()
    whole = (first / "visible/I00001.jpg").read_bytes()
    (first / "visible/I00001.jpg").write_bytes(whole[: len(whole) // 2] + b"\xff\xd9")
    rewrite(first / "lwir/I00002.jpg", lambda picture: cv2.applyColorMap(picture, cv2.COLORMAP_JET).astype(np.uint8))
    rewrite(tree / "set00/V001/lwir/I00000.jpg", lambda picture: np.full_like(picture, 90))
    found = amiss(tree)
    assert found["pictures without a partner"] == "1: 1 in set00/V000"
    assert found["damaged pictures"].startswith("1, such as set00/V000/visible/I00001.jpg: ")
    assert found["thermal pictures in false colours"].startswith("1, such as set00/V000/lwir/I00002.jpg: ")
    assert found["pictures that show nothing"].startswith("1, such as set00/V001/I00000: ")
    assert len(found) == 4
    told(prep("doctor", tree, "--workers", 1), 1, "lines marked with ! are worth a look (4)", "nothing was written")


def test_what_is_drawn_into_both_pictures_is_found(tree: Path) -> None:
    for path in (tree / "set00/V001").rglob("*.jpg"):
        rewrite(path, framed)
    what = "drawn into both pictures, left out of account"
    assert amiss(tree) == {what: "3, such as set00/V001/I00000"}


def test_orientation_tags_are_told_as_by_align(tree: Path) -> None:
    path, exif = tree / "set00/V001/visible/I00001.jpg", Image.Exif()
    exif[0x0112] = 6
    picture = Image.open(path)
    picture.save(path, quality=95, exif=exif)
    assert amiss(tree) == {"pictures with an EXIF orientation, which is ignored": "1, such as set00/V001/I00001"}


def test_sizes_that_differ_are_set_side_by_side(tree: Path) -> None:
    rewrite(
        tree / "set00/V000/lwir/I00001.jpg", lambda picture: cv2.resize(picture, (80, 64)).astype(np.uint8, copy=False)
    )
    told = "160x128, 8 bits (5), 80x64, 8 bits (1); 80x64, 8 bits is set00/V000/I00001"
    assert amiss(tree) == {"thermal pictures": told}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"I00000", "I00001", "I00002"}, "could be"),
        ({"set00/V000/I00000", "set00/V001/I00002"}, "of 2 of 6 pairs"),
        ({"a", "b"}, "none of 2 names belongs to any of 6 pairs"),
    ],
)
def test_labels_are_held_against_the_pairs(tree: Path, tmp_path: Path, names: set[str], said: str) -> None:
    rows = [json.dumps({"pair_id": name, "boxes": [[10, 10, 40, 30]]}) for name in sorted(names)]
    (tmp_path / "boxes.jsonl").write_text("\n".join(rows))
    assert said in amiss(tree, detections=tmp_path / "boxes.jsonl")["boxes"]


def test_counts_of_nothing_are_nothing_to_look_at(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "boxes.jsonl").write_text(json.dumps({"pair_id": "set00/V000/I00000", "boxes": [[9, 9, 30, 30]]}))
    assert amiss(tree, detections=tmp_path / "boxes.jsonl") == {"boxes": "of 1 of 6 pairs", "pairs not found": "5"}


def test_labels_of_pictures_without_a_partner_are_no_strangers(tree: Path, tmp_path: Path) -> None:
    ids = [f"set00/V00{sequence}/I0000{frame}" for sequence in range(2) for frame in range(3)]
    (tmp_path / "boxes.jsonl").write_text("\n".join(json.dumps({"pair_id": i, "boxes": [[9, 9, 30, 30]]}) for i in ids))
    (tree / "set00/V000/lwir/I00000.jpg").unlink()
    found = lines(tree, detections=tmp_path / "boxes.jsonl")
    assert found["boxes"] == Line("boxes", "of 5 of 5 pairs")
    assert {check for check, line in found.items() if line.amiss} == {"pictures without a partner"}


def test_boxes_that_were_drawn_in_the_thermal_picture_are_told_as_mine_refuses_them(tree: Path, tmp_path: Path) -> None:
    for path in (tree / "set00").glob("*/lwir/*.jpg"):
        rewrite(path, lambda picture: cv2.resize(picture, (80, 64)).astype(np.uint8, copy=False))
    image = {"id": 1, "file_name": "set00/V000/I00001.jpg", "width": 80, "height": 64}
    content = {"images": [image], "annotations": [{"image_id": 1, "bbox": [9, 9, 30, 30], "category_id": 1}]}
    (tmp_path / "boxes.json").write_text(json.dumps(content | {"categories": [{"id": 1, "name": "person"}]}))
    assert "80x64, the size of its TIR picture" in amiss(tree, detections=tmp_path / "boxes.json")["boxes"]


def test_labels_of_pairs_that_will_be_rejected_are_no_strangers(tree: Path, tmp_path: Path) -> None:
    """As for mine: such names are counted apart, and a pair without its thermal picture has no use for boxes."""
    (tree / "set00/V000/visible/I00001.jpg").write_bytes(b"\xff\xd8")
    (tree / "set00/V001/lwir/I00002.jpg").write_bytes(b"")
    ids = [f"set00/V00{sequence}/I0000{frame}" for sequence in range(2) for frame in range(3)]
    (tmp_path / "boxes.jsonl").write_text("\n".join(json.dumps({"pair_id": i, "boxes": [[9, 9, 30, 30]]}) for i in ids))
    found = lines(tree, detections=tmp_path / "boxes.jsonl")
    assert found["boxes"] == Line("boxes", "of 4 of 4 pairs")
    assert [line.check for line in found.values() if line.amiss] == ["damaged pictures"]


def test_labels_that_all_fit_are_nothing_to_look_at(tree: Path, tmp_path: Path) -> None:
    ids = [f"set00/V00{sequence}/I0000{frame}" for sequence in range(2) for frame in range(3)]
    (tmp_path / "boxes.jsonl").write_text("\n".join(json.dumps({"pair_id": i, "boxes": [[9, 9, 30, 30]]}) for i in ids))
    found = lines(tree, detections=tmp_path / "boxes.jsonl", pairs=2)
    assert found["boxes"] == Line("boxes", "of 6 of 6 pairs")
    assert not any(line.amiss for line in found.values())


def test_labels_that_cannot_be_read_are_a_line_of_the_table_and_another_kind_is_told_at_once(
    tree: Path, tmp_path: Path, prep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "boxes.json").write_text("{")
    assert f"{tmp_path}/boxes.json: not valid JSON" in amiss(tree, detections=tmp_path / "boxes.json")["boxes"]
    (tmp_path / "boxes.csv").write_text("")
    monkeypatch.setattr(stage, "look", None)
    command = ("doctor", tree, "--workers", 1, "--detections", tmp_path / "boxes.csv")
    told(prep(*command), 2, "boxes.csv: expected a .jsonl file, a COCO .json file or a folder")


def test_a_sample_is_called_a_sample(tree: Path) -> None:
    found = lines(tree, pairs=2)
    assert found["pairs"].found == "6 in 2 sequences; the pictures of 2 were looked at"
    assert found["visible pictures"].found == "160x128 (2)"


def test_the_answer_does_not_depend_on_workers(tmp_path: Path) -> None:
    root = draw_tree(tmp_path / "data", sequences=3, frames=2)
    (root / "set00/V001/visible/I00000.jpg").write_bytes(b"")
    assert run(DoctorConfig(root=root, workers=2)) == run(DoctorConfig(root=root))


def test_no_folder_and_no_layout_are_bad_input(tmp_path: Path, prep: Run) -> None:
    told(prep("doctor", tmp_path / "nowhere"), 3, "no such folder")
    (tmp_path / "a.txt").write_text("")
    told(prep("doctor", tmp_path, "--workers", 1), 3, "no known layout")


def test_an_orientation_tag_is_told(tree: Path) -> None:
    path = tree / "set00/V000/visible/I00000.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as picture:
        picture.save(path, exif=exif)
    assert amiss(tree) == {"pictures with an EXIF orientation, which is ignored": "1, such as set00/V000/I00000"}


def test_the_rate_of_pairs_is_that_of_the_slower_camera_pauses_aside() -> None:
    nearest = [round(k * 30 / 9) / 30 for k in range(28)]
    assert stage._rate(nearest) == pytest.approx(9)
    assert stage._rate([*nearest, *(60 + time for time in nearest)]) == pytest.approx(9)
    assert stage._rate([0.0]) == stage._rate([1.0, 1.0, 1.0]) == 0


def test_a_sequence_without_a_pair_is_not_counted(tree: Path) -> None:
    for path in (tree / "set00/V001/lwir").iterdir():
        path.unlink()
    assert lines(tree)["pairs"].found == "3 in 1 sequences"


def test_what_is_drawn_in_other_values_is_told_as_align_leaves_it_out(tree: Path) -> None:
    """A grid, white in one picture and black in the other: its edges are equal, its values are not."""

    def ruled(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        value = 0 if picture.ndim == 2 else 255
        # The scene beside it fits elsewhere.
        picture = np.ascontiguousarray(picture[:, ::-1]) if picture.ndim == 2 else picture
        for place in range(8, 80, 12):
            cv2.line(picture, (place, 0), (place, 127), (value,) * 3, 2)
            cv2.line(picture, (0, place), (79, place), (value,) * 3, 2)
        return picture

    for path in tree.rglob("*.jpg"):
        rewrite(path, ruled)
    rgb, tir = (images.decode(next(tree.rglob(f"{side}/*0.jpg")).read_bytes(), "x") for side in ("visible", "lwir"))
    pair = (np.ascontiguousarray(rgb[..., ::-1]).astype(np.uint8), tir.astype(np.uint8))
    assert overlays.drawn([pair]) is None and overlays.look([pair]).sure is not None
    assert "such as set00/V000/I00000" in amiss(tree)["drawn into both pictures, left out of account"]


def test_of_many_kinds_and_sequences_the_most_frequent_are_named(tree: Path) -> None:
    for frame, size in enumerate(((80, 64), (90, 72), (100, 80))):
        for side in ("visible", "lwir"):
            shrink = partial(cv2.resize, dsize=size)
            rewrite(tree / f"set00/V000/{side}/I0000{frame}.jpg", shrink)
    sizes = "160x128 (3), 100x80 (1), 80x64 (1), and 1 of other kinds; 90x72 is set00/V000/I00001"
    assert amiss(tree)["visible pictures"] == sizes
    rejects = {(f"s{n}", "missing_counterpart"): n for n in range(1, 6)}
    (line,) = diagnosis.left_out(rejects)
    assert line == Line(
        "pictures without a partner", "15: 5 in s5, 4 in s4, 3 in s3, and 3 in 2 other sequences", amiss=True
    )
