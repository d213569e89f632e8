"""Every shipped pair layout on a tiny tree in that layout: what is found, and that it is recognised."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.manifests import load_manifest, shipped
from pipeline.pairing.discovery.discover import discover
from pipeline.pairing.discovery.recognition import recognise

from .layouts import LAYOUTS, build


def test_every_shipped_pair_layout_is_tested() -> None:
    assert set(LAYOUTS) == {manifest.name for manifest in shipped() if manifest.kind != "sequences"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_finds_its_pairs(tmp_path: Path, name: str) -> None:
    files, expected = LAYOUTS[name]
    found = list(discover(build(tmp_path, files), load_manifest(name)))
    cameras = {pair.pair_id: pair.camera for sequence in found for pair in sequence.pairs}
    assert list(cameras.items()) == list(expected.items())
    for sequence in found:
        assert not sequence.rejects
        for pair in sequence.pairs:
            assert pair.camera == sequence.camera
            assert pair.pair_id == f"{sequence.sequence}/{pair.frame}"
            assert pair.rgb.partition("#")[0] in files
            assert pair.tir.partition("#")[0] in files
            assert pair.rgb != pair.tir


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_is_recognised_and_says_why(tmp_path: Path, name: str) -> None:
    # Layouts of plain RGB/T or vi/ir folders are told apart only by the folder's own name, as users keep it.
    hinted = tmp_path / (f"My {name.upper()} copy" if name.startswith(("vt", "msrs", "m3fd")) else "data")
    manifest, why = recognise(build(hinted, LAYOUTS[name][0]))
    assert manifest.name == name
    assert why.startswith(f"{name}: {len(LAYOUTS[name][1])} pairs and 0 pictures without a partner in ")
    assert ", looked for as " in why


def test_a_sample_is_called_a_sample(tmp_path: Path) -> None:
    def why(sequences: int) -> str:
        files = [
            f"set00/V{v:03d}/{side}/I{i}.jpg" for v in range(sequences) for side in ("visible", "lwir") for i in (0, 1)
        ]
        return recognise(build(tmp_path / str(sequences), files))[1]

    whole, sample = why(4), why(9)
    assert ": 8 pairs and 0 pictures without a partner in 4 sequences (set00/V000 to set00/V003)," in whole
    assert ": 10 pairs and 0 pictures without a partner in a sample, the first 5 sequences (set00/V000 to" in sample


def test_unnamed_rgb_and_t_folders_are_no_particular_benchmark(tmp_path: Path) -> None:
    manifest, _ = recognise(build(tmp_path / "data", ["RGB/1.jpg", "T/1.jpg"]))
    assert manifest.name == "pairs"


def test_equal_names_are_believed_before_mere_order(tmp_path: Path) -> None:
    files = [f"train/{side}/{i}.jpg" for side in ("visible", "infrared") for i in (1, 2)]
    assert recognise(build(tmp_path / "data", files))[0].name == "pairs"
    assert recognise(build(tmp_path / "RGBT234", files))[0].name == "rgbt234"


def test_a_folder_of_plain_pictures_is_not_mfnet(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/1.png").write_bytes(cv2.imencode(".png", np.zeros((4, 6, 3), np.uint8))[1].tobytes())
    with pytest.raises(DataError, match="no known layout"):
        recognise(tmp_path)
