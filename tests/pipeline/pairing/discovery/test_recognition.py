"""A folder of no known layout: one line says what is odd about it, or what the nearest layouts lack."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import DataError
from pipeline.pairing.discovery.recognition import recognise

Make = Callable[..., Any]


def refusal(root: Path) -> str:
    """The one line that refuses a folder."""
    with pytest.raises(DataError) as error:
        recognise(root)
    said = str(error.value)
    assert said.startswith(f"{root}: no known layout fits")
    assert "\n" not in said
    return said


def test_both_names_of_a_side(tmp_path: Path, build: Make) -> None:
    build(tmp_path, "visible/1.jpg", "infrared/1.jpg", "thermal/1.jpg")
    said = refusal(tmp_path)
    assert "pairs: both 'infrared' and 'thermal' fit **/lwir|tir|thermal|infrared|ir|t/{frame}: name one in" in said
    assert said.endswith("mend that, or write a manifest (docs/data_sets.md)")


def test_a_link_that_leads_out(tmp_path: Path, build: Make) -> None:
    root = build(tmp_path / "root", "rgb/1.jpg", "readme.txt")
    build(tmp_path / "else", "1.jpg")
    (root / "thermal").symlink_to(tmp_path / "else")
    said = refusal(root)
    assert f"thermal: symbolic link leads out of {root}: copy or hard-link it, or give a --root above both" in said
    assert said.count("symbolic link") == 1


@pytest.mark.parametrize(
    ("files", "lacks"),
    [
        (
            ["rgb/1.raw", "rgb/2.raw", "thermal/1.jpg"],
            "pairs: no pictures in rgb: its 2 files are .raw (read are .bmp, .j",
        ),
        (
            ["visible/a.mp4", "infrared/a.mp4"],
            "no pictures in visible: its 1 files are .mp4; clips need a manifest with rule: video and no pictures in",
        ),
        (["rgb/1.jpg", "warm/1.jpg"], "pairs: no folder **/lwir|tir|thermal|infrared|ir|t"),
        (["visible/day/1.jpg", "infrared/1.jpg"], "no pictures in visible, which holds 1 folders (day)"),
        (["s/V0/visible/1.jpg", "s/V0/lwir/x"], "kaist, pairs: no pictures in s/V0/lwir: its 1 files are no extension"),
        (
            ["visible/cam0_1.jpg", "visible/cam0_2.jpg", "thermal/cam1_1.jpg"],
            "pairs: 0 pairs and 3 pictures without a partner, such as visible/cam0_1.jpg (no thermal picture",
        ),
        (["crop_LR_visible/1.jpg", "cropinfrard/1.jpg"], "roadscene: no folder cropinfrared"),
        (["JPEGImages/1.jpg"], "flir_aligned: no pictures called {frame}_RGB in JPEGImages: it holds 1.jpg and"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, files: list[str], lacks: str, build: Make) -> None:
    assert lacks in refusal(build(tmp_path, *files))


@pytest.mark.parametrize("above", ["data", "archive/unpacked"])
def test_a_folder_too_high(tmp_path: Path, above: str, build: Make) -> None:
    build(tmp_path, *(f"{above}/{side}/train/010001.jpg" for side in ("visible", "infrared")))
    assert refusal(tmp_path).endswith(f"fits, but {tmp_path / above} fits llvip: give that as --root")


def test_a_folder_too_low(tmp_path: Path, build: Make) -> None:
    build(tmp_path, "lwir/1.jpg", "lwir/2.jpg", "visible/1.jpg")
    said = refusal(tmp_path / "lwir")
    assert said.endswith("it holds 2 pictures and no folder: give the folder above, which holds both sides")


@pytest.mark.skipif(os.sep == "\\", reason="names may not hold a backslash here")
def test_an_archive_made_on_windows(tmp_path: Path, build: Make) -> None:
    build(tmp_path, *(f"set00\\V000\\{side}\\I0.jpg" for side in ("visible", "lwir")))
    assert "2 file names hold backslashes (set00\\V000\\lwir\\I0.jpg), as of an archive made on Windows" in refusal(
        tmp_path
    )


def test_nothing_of_any_layout(tmp_path: Path, build: Make) -> None:
    build(tmp_path, "photos/1.jpg", "heat/1.jpg")
    said = refusal(tmp_path)
    assert ": found 2 folders (heat, photos) and 0 files, and no folder of any of them: correct --root" in said
    assert ", call the two folders rgb and tir, or write a manifest" in said
    (tmp_path / "photos").rename(tmp_path / "rgb")
    (tmp_path / "heat").rename(tmp_path / "tir")
    assert recognise(tmp_path)[0].name == "pairs"
