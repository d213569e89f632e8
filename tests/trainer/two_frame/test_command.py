"""``cmd-train two-frame``: what it prints and leaves, and what it refuses, naming it."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipeline.next_command import CONFIG

from ...conftest import done, lasting, told
from .world import SIZE, WINDOW, found, two_frame, values, write_run, write_sequence, write_sequences


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NanoTrack: the quickest."""
    return write_run(tmp_path_factory.mktemp("run") / "nano", "nanotrack_v2")


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return write_sequences(tmp_path / "sequences", "ant", "bee")


def test_one_checkpoint_is_told_beside_what_needs_none(
    world: Path, checkpoint: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    out = tmp_path / "new/found.json"
    printed = done(two_frame(checkpoint, "--sequences", world, "--out", out, "--windows", 5))
    for line in ("tracker", "6 of 2 sequences", "iou_from_peak, the middle", "iou_from_peak, the reference's box kept"):
        assert line in printed
    assert "6 windows: 3 of each of 2 sequences" in caplog.text
    content = found(out)
    assert set(content) == {
        *("test", "checkpoint", "tracker", "window", "seed", "windows", "modality", "left_out", "decides", "key"),
        *("figures", "rows", "made_by"),
    }
    student = values(content, "student", "iou_from_peak")
    assert content["figures"]["iou_from_peak"]["student"]["value"] == pytest.approx(np.mean(list(student.values())))


def test_several_are_named_and_go_into_a_folder(world: Path, checkpoint: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "run", "nanotrack_v2", heads=3)
    words = ("--sequences", world, "--out", tmp_path / "found", "--windows", 2, "--pictures", tmp_path / "pictures")
    done(two_frame(f"a1~~={checkpoint}", f"d3~shuffled~0={other}", *words, "--show", 2))
    assert {path.name for path in (tmp_path / "found").iterdir()} == {"a1~~.json", "d3~shuffled~0.json", CONFIG}
    for name in ("a1~~", "d3~shuffled~0"):
        shown = [cv2.imread(str(tmp_path / "pictures" / name / f"{k}.png")) for k in (0, 1)]
        assert [each.shape for each in shown] == [(255, 127 + 4 + 255, 3)] * 2


def test_pictures_show_true_and_found_boxes_in_their_colours(world: Path, checkpoint: Path, tmp_path: Path) -> None:
    words = ("--sequences", world, "--out", tmp_path / "found.json", "--windows", 2)
    done(two_frame(checkpoint, *words, "--pictures", tmp_path / "pictures", "--show", 1))
    picture = cv2.imread(str(tmp_path / "pictures/0.png"))[..., ::-1].astype(int)
    assert len(list((tmp_path / "pictures").iterdir())) == 1
    colourful = picture.max(2) - picture.min(2) > 60
    green = colourful & (picture.argmax(2) == 1)
    assert green[:127, :127].any()
    assert green[:, 131:].any()


@pytest.mark.parametrize("rgb", [False, True])
def test_visible_sequences_are_measured_where_that_is_asked_for(checkpoint: Path, tmp_path: Path, rgb: bool) -> None:
    write_sequence(tmp_path / "sequences", "ant", colour=True)
    words = ("--sequences", tmp_path / "sequences", "--out", tmp_path / "found.json", "--windows", 1)
    if rgb:
        done(two_frame(checkpoint, *words, "--rgb"))
        assert found(tmp_path / "found.json")["modality"] == "rgb"
    else:
        told(two_frame(checkpoint, *words), 3, "in colour, not TIR in grey: ant", "--rgb")


def test_sequences_without_two_instants_are_left_out_and_told(
    world: Path, checkpoint: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_sequence(world, "single", 1)
    far = write_sequence(world, "far", 40)
    truth = np.full((40, 4), np.nan)
    truth[[0, 39]] = 20
    np.savetxt(far / "groundtruth_rect.txt", truth, delimiter=",")
    out = ("--out", tmp_path / "found.json")
    done(two_frame(checkpoint, "--sequences", world, *out, "--windows", 2))
    assert "2 sequences are left out" in caplog.text
    assert "far, single" in caplog.text
    content = found(tmp_path / "found.json")
    assert content["left_out"] == ["far", "single"]
    assert set(values(content, "student", "hit")) == {"ant", "bee"}
    words = ("--sequences", world, "--out", tmp_path / "other.json", "--only", "single")
    told(two_frame(checkpoint, *words), 3, "every target is not seen at two instants", "single")


def test_a_list_names_sequences(world: Path, checkpoint: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    words = ("--sequences", world, "--out", tmp_path / "found.json", "--windows", 1, "--list", names)
    told(two_frame(checkpoint, *words), 3, "names.txt")
    names.write_text("\n")
    told(two_frame(checkpoint, *words), 3, "names no sequence")
    names.write_text("bee\n\n")
    done(two_frame(checkpoint, *words))
    assert set(values(found(tmp_path / "found.json"), "student", "hit")) == {"bee"}
    names.write_text("bee\nwasp\n")
    told(two_frame(checkpoint, *words), 2, "--only: tir_sequences has no wasp")


def test_what_is_wrong_with_a_sequence_is_named_and_nothing_is_written(
    world: Path, checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "found.json"
    words = ("--sequences", world, "--out", out, "--windows", 20)
    told(two_frame(checkpoint, "--sequences", tmp_path / "nowhere", "--out", out), 3, "no such folder", "--sequences")
    (tmp_path / "empty").mkdir()
    told(two_frame(checkpoint, "--sequences", tmp_path / "empty", "--out", out), 3, "no sequence", "--sequences")
    truth = world / "bee/groundtruth_rect.txt"
    rows = truth.read_text()
    truth.unlink()
    told(two_frame(checkpoint, *words), 3, "bee: ", "no such file: get the ground truth", "--only")
    truth.write_text(rows.splitlines()[0] + "\nfour,five,6,7\n")
    told(two_frame(checkpoint, *words), 3, "groundtruth_rect.txt:2", "'four' is not a number")
    truth.write_text(rows)
    for content in (b"no picture", cv2.imencode(".png", np.zeros(SIZE, np.uint8))[1].tobytes()):
        # Some frame that windows show; the first, which is looked at before, is another.
        for path in sorted((world / "bee/img").iterdir())[1:]:
            path.write_bytes(content)
        told(two_frame(checkpoint, *words), 3, "bee/img/00")
    assert not out.exists()


def test_what_is_wrong_with_a_checkpoint_is_named(world: Path, checkpoint: Path, tmp_path: Path) -> None:
    words = ("--sequences", world, "--out", tmp_path / "found.json")
    told(two_frame(tmp_path / "gone", *words), 2, "CHECKPOINT", "gone", "no such file")
    told(
        two_frame(checkpoint, *words, "--tracker", "dimp18"),
        2,
        "is of nanotrack_v2, you asked for dimp18: leave --tracker out",
    )
    plain = checkpoint / "model.safetensors"
    copy = tmp_path / "plain.safetensors"
    copy.write_bytes(plain.read_bytes())
    told(two_frame(copy, *words), 2, "does not say its tracker", "--tracker")
    told(two_frame(copy, *words, "--tracker", "dimp18", "--window", WINDOW), 3, "does not fit the network")
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "bare.safetensors")
    bare = (tmp_path / "bare.safetensors", *words, "--tracker", "dimp18", "--window", WINDOW)
    told(two_frame(*bare), 2, "bare backbone")
    told(two_frame(checkpoint, *words, "--window", WINDOW), 2, "--window 96")
    other = write_run(tmp_path / "other", "dimp18")
    named = (f"a={checkpoint}", f"b={other}", "--sequences", world, "--out", tmp_path / "found")
    told(two_frame(*named), 2, "several base trackers")
    small = write_run(tmp_path / "small", "dimp18", window=WINDOW)
    named = (f"a={small}", f"b={other}", "--sequences", world, "--out", tmp_path / "found")
    told(two_frame(*named), 2, "search windows of different sizes")


def test_names_and_places_that_do_not_fit_are_refused(world: Path, checkpoint: Path, tmp_path: Path) -> None:
    words = ("--sequences", world, "--out", tmp_path / "found")
    told(two_frame(checkpoint, checkpoint, *words), 2, "several checkpoints need names")
    told(two_frame(f"a={checkpoint}", f"A={checkpoint}", *words), 2, "two checkpoints have that name")
    for name in ("up/down", "..", ".hidden"):
        told(two_frame(f"{name}={checkpoint}", *words), 2, f"{name}=CHECKPOINT", "cannot be that of a file")
    told(two_frame(checkpoint, "--sequences", world, "--out", tmp_path), 2, "is a folder: give a file")
    (tmp_path / "found").write_text("mine")
    told(two_frame(f"a={checkpoint}", *words), 2, "is no folder")
    told(two_frame(checkpoint, *words), 2, "is no file of this command")
    told(two_frame(checkpoint, *words, "--on-existing", "overwrite"), 2, "is no file of this command")
    assert (tmp_path / "found").read_text() == "mine"
    told(two_frame(checkpoint, *words, "--show", 2), 2, "--show has no effect here")
    frames = world / "ant/img"
    new = ("--sequences", world, "--out", tmp_path / "new.json")
    told(two_frame(checkpoint, *new, "--pictures", frames), 2, "holds the frames of ant")
    told(two_frame(checkpoint, *new, "--window", 100), 2, "setting window")


def test_figures_that_are_there_are_kept_or_refused(world: Path, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    words = (checkpoint, "--sequences", world, "--out", out, "--windows", 2)
    done(two_frame(*words))
    first, written = lasting(out), out.stat().st_mtime_ns
    made = found(out)["made_by"]
    assert made["command"].startswith(f"cmd-train two-frame {checkpoint} --sequences ")
    assert made["inputs"] == {"checkpoint": found(out)["checkpoint"], "windows": found(out)["key"]}
    done(two_frame(*words))
    assert out.stat().st_mtime_ns == written
    told(two_frame(*words, "--seed", 1), 2, "was measured otherwise (seed, key)", "--on-existing overwrite")
    told(two_frame(*words, "--on-existing", "fail"), 2, "already holds found.json")
    other = tmp_path / "other.json"
    done(two_frame("--config", tmp_path / "found.json.config.yaml", "--out", other))
    assert lasting(other) == first
    done(two_frame(*words, "--seed", 1, "--on-existing", "overwrite"))
    assert lasting(out) != first


def test_frames_that_are_read_otherwise_than_meant_are_told(
    checkpoint: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_sequence(tmp_path / "sequences", "deep", deep=True)
    for path in sorted((tmp_path / "sequences/deep/img").iterdir())[1:]:
        cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_UNCHANGED) + np.uint16(20000))
    words = ("--sequences", tmp_path / "sequences", "--out", tmp_path / "found.json", "--windows", 3)
    done(two_frame(checkpoint, *words))
    assert "(deep) all values lie outside of the range" in caplog.text
