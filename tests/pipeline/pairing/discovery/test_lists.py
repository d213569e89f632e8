"""List and map files: the field's spellings, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import DataError
from pipeline.manifests import load_manifest
from pipeline.pairing.discovery.lists import read_map
from pipeline.pairing.discovery.recognition import recognise
from pipeline.pairing.discovery.summary import Discovered

Make = Callable[..., Any]


@pytest.mark.parametrize(
    "line",
    [
        "set00/V000/I00001",
        "set00_V000_I00001",
        "SET00/v000/I00001.jpg",
        "set00/V000/visible/I00001.jpg",
        "./set00/V000/I00001 0 1",
        "set00\\V000\\I00001",
    ],
)
def test_lists_in_the_fields_spellings(tmp_path: Path, line: str, build: Make, found: Make, frames: Make) -> None:
    build(
        tmp_path, *[f"set00/V00{v}/{side}/I0000{i}.jpg" for v in (0, 1) for side in ("visible", "lwir") for i in (0, 1)]
    )
    (tmp_path / "imageSets").mkdir()
    (tmp_path / "imageSets/train-all-02.txt").write_text(f"\ufeff{line}\r\n\r\n", encoding="utf-8")
    chosen = load_manifest("kaist:train-all-02")
    assert frames(tmp_path, chosen) == ["set00/V000/I00001"]
    totals = Discovered()
    for sequence in found(tmp_path, chosen):
        totals.add(sequence)
    assert totals.warnings() == ["kaist:train-all-02: 1 pairs found, 25086 expected"]


def test_what_a_list_names_and_is_not_there_is_a_reject_and_counted(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, *[f"set00/V000/{side}/I0000{i}.jpg" for side in ("visible", "lwir") for i in range(5)])
    (tmp_path / "set00/V000/lwir/I00002.jpg").unlink()
    names = ["set00/V000/I00003", "set00_V000_I00001", "Set00/V000/I00009", "set00/V000/lwir/I00008.jpg", "I00002"]
    build(tmp_path, "imageSets/x")
    (tmp_path / "imageSets/train-all-04.txt").write_text("\n".join(names))
    here, absent = found(tmp_path, "kaist:train-all-04")
    assert [pair.frame for pair in here.pairs] == ["I00001", "I00003"]
    assert [(reject.pair_id, reject.reason) for reject in here.rejects] == [
        ("set00/V000/I00002", "missing_counterpart"),
    ]
    assert absent.pairs == []
    assert [(reject.pair_id, reject.reason, reject.rgb, reject.tir) for reject in absent.rejects] == [
        ("Set00/V000/I00009", "absent", None, None),
        ("set00/V000/lwir/I00008.jpg", "absent", None, None),
    ]
    assert absent.rejects[0].detail == "imageSets/train-all-04.txt names it, but it is not there"
    totals = Discovered()
    totals.add(absent)
    assert totals.warnings() == ["imageSets/train-all-04.txt: 2 of the frames it names are not there"]


def test_a_stride_takes_nothing_from_a_list(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, *[f"set00/V000/{side}/I0000{i}.jpg" for side in ("visible", "lwir") for i in range(5)])
    build(tmp_path, "sanitized_annotations/.hidden.txt", "sanitized_annotations/notes.md")
    build(tmp_path, *[f"sanitized_annotations/set00_V000_I0000{i}.txt" for i in (1, 2, 3, 7)])
    here, absent = found(tmp_path, load_manifest("kaist:sanitized").model_copy(update={"stride": 2}))
    assert [pair.frame for pair in here.pairs] == ["I00001", "I00003"]
    assert [reject.pair_id for reject in absent.rejects] == ["set00_V000_I00007.txt"]


def test_what_a_map_names_and_is_not_there_is_a_reject(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "video_rgb_test/data/video-A-frame-1.jpg", "video_thermal_test/data/video-B-frame-1.jpg")
    (tmp_path / "rgb_to_thermal_vid_map.json").write_text(
        '{"video-A-frame-1.jpg": "video-B-frame-1.jpg", "video-A-frame-2.jpg": "video-B-frame-2.jpg"}'
    )
    here, absent = found(tmp_path, "flir_v2")
    assert (len(here.pairs), here.rejects) == (1, [])
    assert [(reject.pair_id, reject.reason) for reject in absent.rejects] == [("video-a-frame-2.jpg", "absent")]
    assert recognise(tmp_path)[0].name == "flir_v2"


def test_folder_of_annotations_is_a_list(tmp_path: Path, build: Make, frames: Make) -> None:
    build(tmp_path, *[f"set00/V000/{side}/I0000{i}.jpg" for side in ("visible", "lwir") for i in (0, 1)])
    build(tmp_path, "sanitized_annotations/set00_V000_I00000.txt")
    assert frames(tmp_path, "kaist:sanitized") == ["set00/V000/I00000"]


def test_list_of_thermal_stems(tmp_path: Path, build: Make, frames: Make) -> None:
    build(tmp_path, *[f"JPEGImages/FLIR_{i}_{side}" for i in (1, 2) for side in ("RGB.jpg", "PreviewData.jpeg")])
    (tmp_path / "align_train.txt").write_text("FLIR_2_PreviewData\n")
    assert frames(tmp_path, "flir_aligned:train") == ["flir_aligned/FLIR_2"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("../../etc/passwd\n", "leaves the data set's root"),
        ("/etc/passwd\n", "leaves the data set's root"),
        ("a\\..\\b\n", "leaves the data set's root"),
        ("\n\n", "list is empty"),
        ("set99/V000/I00000\n", "names no frame that is there"),
        (b"\xff\xfe\x00", "not a UTF-8 text file"),
        (None, "cannot read"),
    ],
)
def test_bad_lists_are_named(tmp_path: Path, content: str | bytes | None, says: str, build: Make, found: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg", "s/a/lwir/1.jpg", "imageSets/x")
    path = tmp_path / "imageSets/train-all-02.txt"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError, match=says) as error:
        found(tmp_path, "kaist:train-all-02")
    assert "train-all-02.txt" in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"a/B.jpg": "t/X.jpg", "c": "d"}',
        "a/B.jpg t/X.jpg\n\nc   d\n",
        "a/B.jpg,t/X.jpg\nc, d\n",
        "a/B.jpg\tt/X.jpg\nc\td\n",
    ],
)
def test_maps(tmp_path: Path, text: str) -> None:
    (tmp_path / "map.txt").write_text(text)
    assert read_map(tmp_path, "map.txt") == {"a/b.jpg": "t/x.jpg", "c": "d"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": "../../x.jpg"}', "leaves the data set's root"),
        ('{"/a": "x"}', "leaves the data set's root"),
        ('{"a": 3}', "entry 1: expected a visible and a thermal name"),
        ("a b\nlonely\n", "entry 2: expected a visible and a thermal name"),
        ("a b\nA b\na c\n", "entry 3: a has two thermal pictures: mend the file"),
        ('{"a": ', "not valid JSON"),
        ('{"a":' * 100_000, "not valid JSON"),
    ],
)
def test_bad_maps_are_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "map.txt").write_text(text)
    with pytest.raises(DataError, match=says):
        read_map(tmp_path, "map.txt")


def test_map_and_list_stay_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "map.txt").write_text("a b\n")
    (tmp_path / "root/map.txt").symlink_to(tmp_path / "map.txt")
    with pytest.raises(DataError, match="symbolic link leads out"):
        read_map(tmp_path / "root", "map.txt")
