"""Result files in the layouts of trackers and toolkits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from pipeline.errors import DataError
from trainer.evaluate.results import find_result, read_result, strangers

from ..conftest import write_boxes

BOXES = np.arange(40.0).reshape(10, 4) + 1


def write_struct(path: Path, cell: bool = True, **fields: object) -> None:
    """``results{1}`` as the toolkits save it, or a struct without the cell around it."""
    run = {"res": BOXES, "type": "rect", "len": len(BOXES)} | fields
    holder: NDArray[np.object_] = np.empty((1, 1), object)
    holder[0, 0] = run
    savemat(path, {"results": holder if cell else run})


@pytest.mark.parametrize("name", ["s.txt", "s/s_001.txt", "s/s.txt", "s_KCF.txt", "s_KCF.mat", "s.mat", "s_other.mat"])
def test_every_layout_is_found_and_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".mat":
        write_struct(path)
    else:
        write_boxes(path, BOXES, "\t")
    found = find_result(tmp_path, "KCF", "s")
    assert found == path
    assert np.array_equal(read_result(path).boxes, BOXES)
    assert strangers(tmp_path, frozenset({"s"})) == []


def test_a_folder_of_many_trackers_is_read_by_name(tmp_path: Path) -> None:
    for tracker in ("KCF", "ECO"):
        write_struct(tmp_path / f"s_{tracker}.mat", cell=False)
    assert find_result(tmp_path, "ECO", "s") == tmp_path / "s_ECO.mat"
    assert np.array_equal(read_result(tmp_path / "s_ECO.mat").boxes, BOXES)
    with pytest.raises(DataError, match=r"several trackers \(ECO, KCF\): call 'mine' as its files do"):
        find_result(tmp_path, "mine", "s")
    assert find_result(tmp_path, "ECO", "t") is None


@pytest.mark.parametrize("name", ["car[1]", "c*r", "wh?t", "{x}", "a[!b]"])
def test_names_with_characters_of_patterns_are_names(tmp_path: Path, name: str) -> None:
    write_struct(tmp_path / f"{name}_other.mat")
    assert find_result(tmp_path, "KCF", name) == tmp_path / f"{name}_other.mat"
    assert find_result(tmp_path, "KCF", "c") is None


def test_results_of_unknown_sequences_are_found_timings_and_drawn_frames_are_none(tmp_path: Path) -> None:
    for name in ("s.txt", "s_time.txt", "stranger.txt", "readme.md"):
        (tmp_path / name).write_text("1")
    for folder, file in (("other", "001.txt"), ("frames", "000001.jpg")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text("1")
    assert strangers(tmp_path, frozenset({"s"})) == ["other", "stranger"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"type": "ivtAff"}, "results of type 'ivtAff'"),
        ({"res": BOXES[:, :3]}, r"shape \(10, 3\)"),
        ({"res": "text"}, "no results"),
    ],
)
def test_a_struct_that_holds_no_boxes_is_refused(tmp_path: Path, fields: dict[str, object], said: str) -> None:
    write_struct(tmp_path / "s.mat", **fields)
    with pytest.raises(DataError, match=said):
        read_result(tmp_path / "s.mat")


def test_files_that_are_no_structs_are_named(tmp_path: Path) -> None:
    path = tmp_path / "s.mat"
    savemat(path, {"other": BOXES})
    with pytest.raises(DataError, match=r"s\.mat: no results"):
        read_result(path)
