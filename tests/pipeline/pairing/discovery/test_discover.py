"""Discovery: the traps of real folders, keys, collections, recognition, and what an error says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from pipeline.errors import DataError, UsageError
from pipeline.manifests import Manifest, load_manifest
from pipeline.pairing.discovery.recognition import manifest_of, recognise
from pipeline.pairing.discovery.summary import Discovered

Make = Callable[..., Any]


def manifest(**keys: object) -> Manifest:
    base = {
        "name": "mine",
        "title": "t",
        "kind": "pairs",
        "source": "s",
        "licence": "l",
        "rgb": "v/{frame}",
        "tir": "t/{frame}",
    }
    return Manifest.model_validate(base | keys)


def test_extensions_case_litter_and_flips(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "Night/walk/Visible/I00000.JPG", "Night/walk/LWIR/i00000.png", "Night/walk/Visible/Thumbs.db")
    build(
        tmp_path, "Night/walk/Visible/._I00000.JPG", "Night/walk/Visible/.DS_Store", "Night/walk/LWIR/I00000_flip.png"
    )
    build(tmp_path, "__MACOSX/walk/visible/I1.jpg", ".cache/walk/lwir/I1.jpg", "Night/walk/LWIR/notes.txt")
    (sequence,) = found(tmp_path)
    assert [(p.pair_id, p.rgb, p.tir) for p in sequence.pairs] == [
        ("Night/walk/I00000", "Night/walk/Visible/I00000.JPG", "Night/walk/LWIR/i00000.png")
    ]
    assert sequence.rejects == []


@pytest.mark.parametrize("visible", ["NFC", "NFD"])
def test_composed_and_decomposed_letters_are_the_same(
    tmp_path: Path, visible: str, build: Make, found: Make, frames: Make
) -> None:
    thermal = "NFD" if visible == "NFC" else "NFC"
    for form, side in ((visible, "visible"), (thermal, "lwir")):
        build(tmp_path, *(normalize(form, f"Prüf/Gänge/{side}/é{i}.jpg") for i in (1, 2, 10)))
    assert [normalize("NFC", name) for name in frames(tmp_path)] == [f"Prüf/Gänge/é{i}" for i in (1, 2, 10)]
    own = manifest(rgb=normalize(thermal, "Prüf/*/visible/é{frame}"), tir="Prüf/*/lwir/é{frame}")
    (sequence,) = found(tmp_path, own)
    assert [pair.frame for pair in sequence.pairs] == ["1", "2", "10"]
    assert all((tmp_path / path).is_file() for pair in sequence.pairs for path in (pair.rgb, pair.tir))
    build(tmp_path, "imageSets/x")
    (tmp_path / "imageSets/train-all-04.txt").write_text(normalize(thermal, "Prüf/Gänge/é2\n"))
    assert [normalize("NFC", name) for name in frames(tmp_path, "kaist:train-all-04")] == ["Prüf/Gänge/é2"]


def test_characters_of_patterns_in_names_are_plain_letters(tmp_path: Path, build: Make, found: Make) -> None:
    names = ["[a]", "a*", "b?", "{1}", "x|y", "[0-9]#3", "*"]
    build(tmp_path, *(f"set [1]/V{{0}}*/{side}/{name}.jpg" for name in names for side in ("visible", "lwir")))
    (sequence,) = found(tmp_path)
    assert sequence.sequence == "set [1]/V{0}*"
    assert sorted(pair.frame for pair in sequence.pairs) == sorted(names)
    assert sequence.rejects == []


def test_missing_partners_are_rejects_by_sequence(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg", "s/a/visible/2.jpg", "s/a/lwir/2.jpg", "s/a/lwir/3.jpg", "s/b/visible/1.jpg")
    build(tmp_path, "s/c/lwir/1.jpg")
    sequences = {sequence.sequence: sequence for sequence in found(tmp_path)}
    rows = [(r.pair_id, r.rgb, r.tir, r.reason) for s in sequences.values() for r in s.rejects]
    assert rows == [
        ("s/a/1", "s/a/visible/1.jpg", None, "missing_counterpart"),
        ("s/a/3", None, "s/a/lwir/3.jpg", "missing_counterpart"),
        ("s/b/1", "s/b/visible/1.jpg", None, "missing_counterpart"),
        ("s/c/1", None, "s/c/lwir/1.jpg", "missing_counterpart"),
    ]
    totals = Discovered()
    for sequence in sequences.values():
        totals.add(sequence)
    assert totals.pairs.total() == 1
    assert totals.warnings() == [
        "kaist: 1 pairs found, 95328 expected",
        "s/a: 2 pictures left out: missing_counterpart",
        "s/b: 1 pictures left out: missing_counterpart",
        "s/c: 1 pictures left out: missing_counterpart",
    ]


def test_second_picture_of_a_name_is_told(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg", "s/a/visible/1.png", "s/a/lwir/1.jpg")
    (sequence,) = found(tmp_path)
    assert [pair.rgb for pair in sequence.pairs] == ["s/a/visible/1.jpg"]
    assert [(r.rgb, r.detail) for r in sequence.rejects] == [
        ("s/a/visible/1.png", "second picture of this name: s/a/visible/1.jpg is used")
    ]


def test_stride_thins_pairs_and_rejects_alike(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, *[f"v/{i}.jpg" for i in range(10)], *[f"t/{i}.jpg" for i in range(10) if i != 4])
    (sequence,) = found(tmp_path, manifest(stride=4))
    assert [pair.frame for pair in sequence.pairs] == ["0", "8"]
    assert [reject.pair_id for reject in sequence.rejects] == ["mine/4"]


def test_wrong_layout_says_what_was_looked_for_and_found(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "train/vi/1.png", "train/ir/1.png", "readme.md")
    with pytest.raises(
        DataError, match=r"\*/\*/visible/\{frame\} \(0 folders fit\).*found 1 folders \(train\) and 1 files"
    ):
        found(tmp_path)


def test_one_side_wholly_absent_is_a_wrong_layout(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg")
    with pytest.raises(DataError, match=r"lwir/\{frame\} \(0 folders fit\)"):
        found(tmp_path)


def test_empty_folders(tmp_path: Path, found: Make) -> None:
    with pytest.raises(DataError, match="found an empty folder"):
        found(tmp_path)
    (tmp_path / "s/a/visible").mkdir(parents=True)
    (tmp_path / "s/a/lwir").mkdir()
    with pytest.raises(DataError, match="hold no such pictures"):
        found(tmp_path)


def test_no_folder(tmp_path: Path, found: Make) -> None:
    with pytest.raises(DataError, match=r"no folder .*gone"):
        found(tmp_path / "gone")
    with pytest.raises(DataError, match=r"no folder .*gone"):
        recognise(tmp_path / "gone")


def test_two_candidates_for_one_side_are_not_guessed(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "rgb/1.jpg", "visible/1.jpg", "ir/1.jpg")
    with pytest.raises(DataError, match="both 'rgb' and 'visible' fit"):
        found(tmp_path, "pairs")


def test_key_that_joins_two_places_is_refused(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, *[f"{s}/x/{side}/1.jpg" for s in "ab" for side in "vt"])
    short = manifest(rgb="*/*/v/{frame}", tir="*/*/t/{frame}", sequence="{2}")
    with pytest.raises(DataError, match="two places give the sequence 'x'"):
        found(tmp_path, short)
    with pytest.raises(DataError, match="asks for wildcard 3"):
        found(tmp_path, short.model_copy(update={"sequence": "{3}"}))


def test_numbers_pair_before_order_and_order_is_told(tmp_path: Path, build: Make, found: Make) -> None:
    build(
        tmp_path,
        "man/visible/1v.jpg",
        "man/visible/2v.jpg",
        "man/infrared/2i.jpg",
        "car/visible/1.jpg",
        "car/infrared/7.jpg",
    )
    car, man = found(tmp_path, "rgbt234")
    assert [(pair.rgb, pair.tir) for pair in car.pairs] == [("car/visible/1.jpg", "car/infrared/7.jpg")]
    assert [(pair.rgb, pair.tir) for pair in man.pairs] == [("man/visible/2v.jpg", "man/infrared/2i.jpg")]
    assert [reject.rgb for reject in man.rejects] == ["man/visible/1v.jpg"]
    totals = Discovered()
    totals.add(car)
    assert totals.warnings() == [
        "car: paired by order: the numbers of visible names (1) are not those of thermal ones (7)",
    ]


def test_damaged_clip_is_a_reject(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "Video/test/visible/a.avi", "Video/test/infrared/a.avi", "Video/test/infrared/b.avi")
    a, b = found(tmp_path, "m3svd_video")
    assert (a.pairs, a.rejects[0].reason, b.rejects[0].reason) == ([], "decode", "missing_counterpart")


def test_collection_carries_each_members_manifest(tmp_path: Path, build: Make, found: Make) -> None:
    build(
        tmp_path,
        "kaist/s/a/visible/1.jpg",
        "kaist/s/a/lwir/2.jpg",
        "kaist/s/a/lwir/1.jpg",
        "LLVIP/visible/train/010001.jpg",
    )
    build(tmp_path, "LLVIP/infrared/train/010001.jpg")
    kaist, llvip = found(tmp_path, "collection")
    assert (kaist.manifest.name, llvip.manifest.name, llvip.camera) == ("kaist", "llvip", "LLVIP/01")
    assert kaist.rejects[0].model_dump(exclude={"detail", "stage"}) == {
        "pair_id": "kaist/s/a/2",
        "rgb": None,
        "tir": "kaist/s/a/lwir/2.jpg",
        "reason": "missing_counterpart",
    }
    with pytest.raises(DataError, match="no data set of collection is there: looked for KAIST"):
        found(build(tmp_path / "other", "x/1.jpg"), load_manifest("collection"))


def test_own_collection_names_its_manifests_beside_it(tmp_path: Path, build: Make, frames: Make) -> None:
    data = build(tmp_path / "data", "A/v/1.jpg", "A/t/1.jpg")
    (tmp_path / "a.yaml").write_text("extends: pairs\nname: a\nrgb: v/{frame}\ntir: t/{frame}\n")
    (tmp_path / "all.yaml").write_text("extends: collection\nname: all\nmembers: {A: ./a.yaml}\n")
    assert frames(data, load_manifest(str(tmp_path / "all.yaml"))) == ["A/a/1"]


def test_tracking_manifest_is_no_source_of_pairs(tmp_path: Path, found: Make) -> None:
    with pytest.raises(UsageError, match="lsotb_tir describes TIR sequences"):
        found(tmp_path, "lsotb_tir")


def test_mostly_unpaired_is_not_recognised(tmp_path: Path, build: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg", "s/a/lwir/1.jpg", *[f"s/a/visible/{i}.jpg" for i in range(2, 6)])
    with pytest.raises(DataError, match="no known layout"):
        recognise(tmp_path)


def test_a_manifest_is_the_one_that_is_named_or_recognised(tmp_path: Path, build: Make) -> None:
    build(tmp_path, "s/a/visible/1.jpg", "s/a/lwir/1.jpg")
    assert manifest_of(tmp_path, "auto")[0] == load_manifest("kaist")
    assert manifest_of(tmp_path, "llvip") == (load_manifest("llvip"), "llvip: as told")


@pytest.mark.parametrize(("folder", "pairs", "alone"), [("pairs", 61, 0), ("warped/degenerate", 96, 12)])
def test_real_folders(folder: str, pairs: int, alone: int, found: Make) -> None:
    root = Path(__file__).resolve().parents[5] / "shared/samples" / folder
    if not root.is_dir():
        pytest.skip(f"needs ../shared/samples/{folder}, which is not beside this checkout")
    manifest, why = recognise(root)
    assert (manifest.name, why[:7]) == ("kaist", "kaist: ")
    sequences = found(root, manifest)
    assert sum(len(sequence.pairs) for sequence in sequences) == pairs
    assert sum(len(sequence.rejects) for sequence in sequences) == alone
    assert all((root / path).is_file() for s in sequences for pair in s.pairs for path in (pair.rgb, pair.tir))


def test_counts_are_compared_only_where_every_frame_is_taken(tmp_path: Path, build: Make, found: Make) -> None:
    build(tmp_path, "v/1.jpg", "t/1.jpg")
    for stride, lines in ((1, ["mine: 1 pairs found, 9 expected"]), (3, [])):
        totals = Discovered()
        for sequence in found(tmp_path, manifest(stride=stride, counts={"pairs": 9})):
            totals.add(sequence)
        assert totals.warnings() == lines


def test_sequences_that_a_warning_does_not_name_are_counted_once_each() -> None:
    totals = Discovered()
    for number in range(12):
        totals.rejects.update({(f"s{number:02d}", "decode"): 9 - number // 2, (f"s{number:02d}", "absent"): 1})
    assert totals.warnings()[-1] == "and 2 more sequences with pictures left out"
