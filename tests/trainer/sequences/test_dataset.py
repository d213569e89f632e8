"""Which sequences are found, in which order, and what is said of a folder that differs from its manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import DataError, UsageError
from pipeline.manifests import load_manifest
from trainer.sequences.dataset import load_data_set

from ...conftest import shared
from ..track_world import BOX, write_sequence


def names(dataset: str, root: Path, only: tuple[str, ...] = ()) -> list[str]:
    return [clip.name for clip in load_data_set(dataset, root, only).clips]


@pytest.mark.parametrize(("dataset", "count"), [("lsotb_tir", 120), ("lsotb_tir_paper", 119), ("ptb_tir", 60)])
def test_the_benchmarks_have_their_sequences(dataset: str, count: int) -> None:
    assert len(load_manifest(dataset).evaluated()) == count


def test_frames_are_in_natural_order_and_litter_is_no_frame(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, "dog", 12)
    for litter in ("img/Thumbs.db", "img/._1.png", "img/.DS_Store", "img/notes.txt"):
        (folder / litter).write_bytes(b"x")
    (tmp_path / "attributes").mkdir()
    (tmp_path / "attributes/dog.txt").write_text("0,1")
    (tmp_path / ".hidden/img").mkdir(parents=True)
    (clip,) = load_data_set("tir_sequences", tmp_path).clips
    assert [path.name for path in clip.pictures] == [f"{number}.png" for number in range(1, 13)]
    assert clip.truth.shape == (12, 4)
    assert clip.truth[0].tolist() == BOX.tolist()


def test_the_toolkits_layouts_are_read(tmp_path: Path) -> None:
    for root, frames, truth, dataset in (
        (tmp_path / "lsotb", "sequences", "anno", "lsotb_tir"),
        (tmp_path / "ptb", "tirsequences", "tiranno", "ptb_tir"),
    ):
        folder = write_sequence(root / frames, "airplane")
        (root / truth).mkdir()
        (folder / "groundtruth_rect.txt").rename(root / truth / "airplane.txt")
        assert names(dataset, root) == ["airplane"]


def test_the_manifests_order_comes_first_and_differences_are_named(tmp_path: Path) -> None:
    for name in ("zebra", "person_V_007", "bus_V_001", "ant", "cat_D_001"):
        write_sequence(tmp_path, name)
    found = load_data_set("lsotb_tir_paper", tmp_path)
    assert [clip.name for clip in found.clips] == ["bus_V_001", "person_V_007", "ant", "zebra"]
    assert len(found.missing) == 117
    assert found.unlisted == ("ant", "zebra")
    told = "\n".join(found.warnings)
    assert "lacks 117 of the 119 sequences of lsotb_tir_paper: bus_V_002" in told
    lacks = next(line for line in found.warnings if "lacks 117" in line)
    assert lacks.endswith(", ...")
    assert lacks.count(", ") == 5, "five names, as everywhere; the others are in track.json"
    assert "2 sequences are not lsotb_tir_paper's, taken too: ant, zebra" in told
    assert "bus_V_001: 5 frames, lsotb_tir_paper has 650" in told
    with pytest.raises(UsageError, match="has no cat_D_001 \\(left out of this data set\\)"):
        load_data_set("lsotb_tir_paper", tmp_path, ["cat_D_001"])


def test_a_folder_of_other_names_gets_the_layout_without_a_list_of_what_it_lacks(tmp_path: Path) -> None:
    write_sequence(tmp_path, "mine")
    found = load_data_set("ptb_tir", tmp_path)
    assert [clip.name for clip in found.clips] == ["mine"]
    assert found.warnings == ("1 sequences are not ptb_tir's, taken too: mine",)


def test_sequences_are_chosen_by_name(tmp_path: Path) -> None:
    for name in ("bus_V_001", "mine", "other"):
        write_sequence(tmp_path, name)
    assert names("lsotb_tir", tmp_path, ("mine", "bus_V_001")) == ["bus_V_001", "mine"]
    with pytest.raises(UsageError, match="--sequences: lsotb_tir has no yours"):
        load_data_set("lsotb_tir", tmp_path, ["yours"])
    with pytest.raises(DataError, match="no pictures of bus_V_002"):
        load_data_set("lsotb_tir", tmp_path, ["bus_V_002"])


def test_a_sequence_that_does_not_fit_its_truth_is_a_fault_by_name(tmp_path: Path) -> None:
    for name in ("fewer", "more", "none", "bare", "text", "good"):
        write_sequence(tmp_path, name)
    (tmp_path / "fewer/img/3.png").unlink()
    (tmp_path / "more/img/6.png").write_bytes((tmp_path / "more/img/5.png").read_bytes())
    (tmp_path / "none/groundtruth_rect.txt").unlink()
    for path in (tmp_path / "bare/img").iterdir():
        path.unlink()
    (tmp_path / "text/groundtruth_rect.txt").write_text("1,2,3\n" * 5)
    found = load_data_set("tir_sequences", tmp_path)
    assert [clip.name for clip in found.clips] == ["good"]
    assert list(found.faults) == ["bare", "fewer", "more", "none", "text"]
    assert "4 pictures for 5 rows of " in found.faults["fewer"]
    assert "6 pictures for 5 rows of " in found.faults["more"]
    assert "0 pictures for 5 rows of " in found.faults["bare"]
    assert "groundtruth_rect.txt: no such file" in found.faults["none"]
    assert "groundtruth_rect.txt:1: row has 3 numbers" in found.faults["text"]


def test_a_sequence_starts_where_the_toolkit_starts_it(tmp_path: Path) -> None:
    file = write_sequence(tmp_path, "late") / "groundtruth_rect.txt"
    rows = np.loadtxt(file, delimiter=",")
    rows[0], rows[1, 0] = np.nan, 0
    np.savetxt(file, rows, fmt="%g", delimiter=",")
    found = load_data_set("tir_sequences", tmp_path)
    assert [path.name for path in found.clips[0].pictures] == ["3.png", "4.png", "5.png"]
    assert found.clips[0].truth.tolist() == rows[2:].tolist()
    assert found.warnings == ("late: frame 1 has no valid box, begun at frame 3 as the toolkit does",)
    np.savetxt(file, rows * 0, fmt="%g")
    assert "nothing to start with" in load_data_set("tir_sequences", tmp_path).faults["late"]


def test_one_box_is_enough_to_start_with(tmp_path: Path) -> None:
    (write_sequence(tmp_path, "dog") / "groundtruth_rect.txt").write_text("10,12,8,6\n\n\n")
    found = load_data_set("tir_sequences", tmp_path)
    (clip,) = found.clips
    assert len(clip.pictures) == len(clip.truth) == 5
    assert clip.truth[0].tolist() == BOX.tolist()
    assert np.isnan(clip.truth[1:]).all()
    assert found.warnings == ("dog: only the first box is known: enough to track from, but cmd-eval needs the others",)


def test_a_blank_row_of_the_truth_is_a_frame_and_is_told(tmp_path: Path) -> None:
    (write_sequence(tmp_path, "dog") / "groundtruth_rect.txt").write_text("10,12,8,6\n\n\n13,12,8,6\n14,12,8,6\n")
    found = load_data_set("tir_sequences", tmp_path)
    assert np.isnan(found.clips[0].truth).all(axis=1).tolist() == [False, True, True, False, False]
    assert found.warnings == ("ground truth: 2 blank rows taken as frames without a target, in 1 sequences (dog 2)",)


def test_what_is_no_data_set_to_track_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--dataset kaist is a data set of pairs"):
        load_data_set("kaist", tmp_path)
    with pytest.raises(DataError, match="no such folder: correct --root"):
        load_data_set("ptb_tir", tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no sequence in the layout of ptb_tir .*\): correct --root"):
        load_data_set("ptb_tir", tmp_path)


def test_a_root_that_lies_one_folder_off_is_told_which_is_meant(tmp_path: Path) -> None:
    root = tmp_path / "disk/sequences"
    write_sequence(root, "dog")
    for off, meant in ((tmp_path, root.parent), (root / "dog", root)):
        with pytest.raises(DataError, match=rf"did you mean {meant}\? correct"):
            load_data_set("tir_sequences", off)


def test_the_real_sequence_is_whole() -> None:
    (clip,) = load_data_set("ptb_tir", shared("samples/tir_sequences")).clips
    assert (clip.name, len(clip.pictures), clip.truth[0].tolist()) == ("airplane", 380, [420, 136, 53, 130])


@pytest.mark.parametrize("twin", ["03.png", "3.bmp", "0003.PNG"])
def test_two_frames_of_one_number_are_a_fault_even_where_there_are_as_many_as_rows(tmp_path: Path, twin: str) -> None:
    folder = write_sequence(tmp_path, "twins") / "img"
    (folder / "5.png").rename(folder / twin)
    (fault,) = load_data_set("tir_sequences", tmp_path).faults.values()
    assert twin in fault and "3.png" in fault
    assert "beside it has the same name or number: keep what is the frame" in fault


def told_of_names(root: Path, *numbers: str) -> str:
    """What is told of a sequence whose pictures are called so."""
    folder = write_sequence(root, "dog", len(numbers)) / "img"
    for place, name in reversed(list(enumerate(numbers, 1))):
        (folder / f"{place}.png").rename(folder / f"{name}.png")
    found = load_data_set("tir_sequences", root)
    assert not found.faults
    return "\n".join(found.warnings)


def test_numbers_that_jump_are_told_where_pictures_and_rows_come_out_even(tmp_path: Path) -> None:
    told = told_of_names(tmp_path, "11", "12", "13", "15", "16", "18")
    assert told == (
        "dog: numbers jump 2 times, first from 13.png to 15.png: is each row of groundtruth_rect.txt that of the "
        "picture in its place?"
    )


def test_a_picture_without_a_number_among_numbered_ones_is_told(tmp_path: Path) -> None:
    told = told_of_names(tmp_path, "0001", "0002", "0003", "0005", "preview")
    assert "dog: preview.png has no number and is taken for a frame; numbers jump 1 times, first from 0003.png" in told


@pytest.mark.parametrize(
    "names_of",
    [
        ("10", "20", "30", "40"),
        ("1600000000000", "1600000000033", "1600000000067", "1600000000100"),
        ("a_640x480", "b_640x480", "c_640x480"),
        ("first", "second", "third"),
        ("7",),
    ],
    ids=lambda names: names[0],
)
def test_names_that_count_otherwise_or_not_at_all_are_no_doubt(tmp_path: Path, names_of: tuple[str, ...]) -> None:
    assert told_of_names(tmp_path, *names_of) == ""


def test_two_folders_of_frames_of_one_name_are_a_fault_and_one_that_is_linked_is_none(tmp_path: Path) -> None:
    write_sequence(tmp_path, "dog")
    write_sequence(tmp_path / "sequences", "dog")
    (fault,) = load_data_set("tir_sequences", tmp_path).faults.values()
    assert "sequences/dog/img: both hold frames of dog" in fault
    linked = tmp_path / "linked"
    write_sequence(linked, "cat")
    (linked / "sequences").symlink_to(linked)
    assert "cat" in names("tir_sequences", linked)
