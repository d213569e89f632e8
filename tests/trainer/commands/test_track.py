"""cmd-track as typed: what it writes, what it goes on from, what it warns of, and one line an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from trainer.commands.evaluate import main as evaluate
from trainer.track import stage
from trainer.trackers import Tracker

from ...conftest import REPOSITORY, done, told
from ..track_world import BOX, STEP, World, picture, world, write_sequence

__all__ = ["world"]


def test_every_sequence_gets_boxes_and_times(world: World) -> None:
    printed = done(world.track())
    assert [line.split()[0] for line in printed.splitlines()] == [
        "tracker", "weights", "sequences", "frames", "frames/s", "results",
    ]  # fmt: skip
    assert "frames     17" in printed
    for name, frames in (("car", 5), ("dog", 12)):
        assert (world.out / f"{name}.txt").read_text().splitlines()[:2] == ["10,12,8,6", "11,12,8,6"]
        assert np.array_equal(world.boxes(name), BOX + np.arange(frames)[:, None] * STEP)
        seconds = np.loadtxt(world.out / f"{name}_time.txt")
        assert seconds.shape == (frames,)
        assert (seconds >= 0).all()
    assert {path.name for path in world.out.iterdir()} == {
        ".lock", "config.yaml", "plan.json", "track.json", "car.txt", "car_time.txt", "dog.txt", "dog_time.txt",
    }  # fmt: skip
    noted = json.loads((world.out / "track.json").read_text())
    assert noted["sequences"]["dog"]["frames"] == 12
    assert (noted["tracker"], noted["device"], noted["faults"]) == ("dimp18", "cpu", {})


def test_the_tracker_gets_the_settings_and_grey_frames(world: World) -> None:
    words = (
        "--set",
        "iounet_k=1",
        "--set",
        "border_mode=inside",
        "--seed",
        7,
        "--tir-range",
        "7000,12100",
        "--precision",
        "bf16",
    )
    done(world.track("--weights", world.run(tracker="superdimp"), *words))
    assert world.seen.made == [
        {
            "name": "superdimp",
            "weights": world.folder / "run/model.safetensors",
            "device": torch.device("cpu"),
            "params": {"iounet_k": 1, "border_mode": "inside"},
            "seed": 7,
            "tir_range": (7000.0, 12100.0),
            "precision": "bf16",
        }
    ]
    assert all(frame.shape == picture(0).shape and frame.dtype == np.uint8 for frame in world.seen.frames)


def test_a_rerun_keeps_what_is_finished(world: World) -> None:
    done(world.track("--sequences", "car"))
    world.seen.frames.clear()
    before = (world.out / "car_time.txt").stat().st_mtime_ns
    done(world.track())
    assert len(world.seen.frames) == 12
    assert (world.out / "car_time.txt").stat().st_mtime_ns == before
    done(world.track("--sequences", "dog"))
    assert json.loads((world.out / "track.json").read_text())["sequences"].keys() == {"car", "dog"}
    (world.out / "dog.txt").unlink()
    (world.out / "car.txt").write_text("1,2,3,4\n")
    world.seen.frames.clear()
    done(world.track())
    assert len(world.seen.frames) == 17
    assert len(world.boxes("car")) == 5


def test_results_of_other_settings_are_refused_by_what_differs(world: World) -> None:
    done(world.track())
    told(world.track("--seed", 1), 2, "made with other settings or input (seed: 0 -> 1)")
    told(world.track("--set", "iounet_k=1"), 2, "params.iounet_k: None -> 1")
    told(world.track("--precision", "bf16"), 2, "precision: float32 -> bf16")
    told(world.track("--weights", world.run()), 2, "weights_sha256: ")
    told(world.track("--tracker", "dimp50"), 2, "tracker: dimp18 -> dimp50")
    told(world.track("--on-existing", "fail"), 2, "already holds car.txt")
    kept = world.out / "notes.txt"
    kept.write_text("mine")
    done(world.track("--seed", 1, "--on-existing", "overwrite", "--sequences", "dog"))
    assert kept.read_text() == "mine"
    assert not (world.out / "car.txt").exists()


def test_boxes_of_a_version_that_gives_others_are_not_gone_on_with(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a setting that came later taken for a difference where it is as things were before."""
    done(world.track())
    written = (world.out / "plan.json").read_bytes()
    assert b"results" not in written
    monkeypatch.setattr(stage, "BEFORE", stage.BEFORE | {"smooth": None})
    done(world.track())
    assert (world.out / "plan.json").read_bytes() == written
    monkeypatch.setattr(stage, "RESULTS", 2)
    told(world.track(), 2, "made with other settings or input (results: 1 -> 2)")


def test_what_killed_runs_left_half_written_is_swept_and_nothing_else(world: World) -> None:
    done(world.track("--save-video"))
    ours = ["track.json.part-0123abcd", "plan.json.part-0123abcd", "car.txt.part-0123abcd"]
    ours += ["car_time.txt.part-0123abcd", "videos/car.webm.part-0123abcd.webm"]
    ours += ["videos/car.mp4.part-0123abcd.mp4", "videos/car.webp.part-0123abcd"]
    for name in (*ours, "notes.txt.part-0123abcd"):
        (world.out / name).touch()
    done(world.track())
    assert [path.name for path in world.out.rglob("*.part-*")] == ["notes.txt.part-0123abcd"]
    done(world.track("--seed", 1, "--on-existing", "overwrite", "--sequences", "car"))
    assert json.loads((world.out / "track.json").read_text())["sequences"].keys() == {"car"}


def test_results_never_take_the_place_of_the_data(world: World) -> None:
    flat = world.folder / "anno"
    flat.mkdir()
    (world.root / "car/groundtruth_rect.txt").rename(flat / "car.txt")
    (world.root / "anno").symlink_to(flat)
    words = ("--dataset", "lsotb_tir", "--on-existing", "overwrite", "--out")
    told(world.track(*words, flat), 2, "holds the ground truth or frames of car")
    assert len((flat / "car.txt").read_text().splitlines()) == 5
    assert not (flat / "plan.json").exists()


def test_a_damaged_frame_fails_its_sequence_and_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    broken = world.root / "car/img/3.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:60])
    told(world.track(), 3, "car: ", str(broken), "PNG is truncated", "1 of 2 sequences are finished in ")
    assert f"warning: car failed: {broken}: PNG is truncated" in caplog.text
    assert not (world.out / "car.txt").exists()
    assert len(world.boxes("dog")) == 12
    assert str(broken) in json.loads((world.out / "track.json").read_text())["faults"]["car"]
    cv2.imwrite(str(broken), np.zeros((30, 30), np.uint8))
    told(world.track(), 3, f"{broken}: frame is (30, 30)")
    broken.write_bytes(whole)
    done(world.track())


def test_sequences_that_do_not_fit_their_truth_are_named_and_the_others_tracked(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    write_sequence(world.root, "bird", 3)
    for name in ("bird", "car"):
        (world.root / name / "img/2.png").unlink()
    told(world.track(), 3, "bird: ", "2 pictures for 3 rows", "(failed are 2 sequences: bird, car)")
    assert "warning: car cannot be tracked: " in caplog.text
    assert len(world.boxes("dog")) == 12
    told(world.track("--sequences", "car"), 3, "4 pictures for 5 rows")


def test_a_sequence_of_one_known_box_is_tracked_drawn_and_not_measured(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    truth = world.root / "car/groundtruth_rect.txt"
    truth.write_text("10,12,8,6\n")
    done(world.track("--save-frames"))
    assert len(world.boxes("car")) == len(list((world.out / "frames/car").iterdir())) == 5
    assert "car: only the first box is known: enough to track from, but cmd-eval needs the others" in caplog.text
    words = ["--dataset", "tir_sequences", "--annotations", world.root, "--results", f"a={world.out}"]
    words += ["--out", world.folder / "report"]
    done(CliRunner().invoke(evaluate, [str(word) for word in words]))
    assert "only the first box is known of 1 of 2 sequences (car): nothing to measure" in caplog.text
    assert "unknown" not in caplog.text
    only = CliRunner().invoke(evaluate, [str(word) for word in (*words, "--sequences", "car")])
    told(only, 3, f"{truth}: holds the first box alone", "get the truth of all frames")


def test_names_with_characters_of_patterns_are_tracked_and_overwritten(world: World) -> None:
    for name in ("car[1]", "c*r", "{x}", "wh?t"):
        write_sequence(world.root, name, 3)
    for words in ((), ("--seed", 1, "--on-existing", "overwrite", "--save-frames", "--save-video")):
        done(world.track(*words))
        for name in ("car[1]", "c*r", "{x}", "wh?t"):
            assert len(world.boxes(name)) == 3
    words = ["--dataset", "tir_sequences", "--annotations", world.root, "--results", f"a={world.out}"]
    words += ["--frames", world.root, "--out", world.folder / "report"]
    done(CliRunner().invoke(evaluate, [str(word) for word in words]))
    assert set(json.loads((world.folder / "report/metrics.json").read_text())["trackers"]["a"]["sequences"]) == {
        "car", "dog", "car[1]", "c*r", "{x}", "wh?t",
    }  # fmt: skip


def test_names_that_are_not_utf_8_are_tracked_and_measured_but_get_no_video(world: World) -> None:
    name = os.fsdecode(b"t\xfd")
    # OpenCV, which writes the pictures, takes the process down on such a name.
    write_sequence(world.root, "t", 3).rename(world.root / name)
    done(world.track("--save-frames"))
    told(world.track("--save-video"), 3, "no video, as its name is not UTF-8: rename it, or use --save-video webp")
    assert len(world.boxes(name)) == 3
    assert {path.name for path in (world.out / "videos").iterdir()} == {"car.webm", "dog.webm"}
    done(world.track("--save-video", "webp", "--sequences", name))
    assert (world.out / "videos" / f"{name}.webp").is_file()
    words = ["--dataset", "tir_sequences", "--annotations", world.root, "--results", f"a={world.out}"]
    words += ["--frames", world.root, "--out", world.folder / "report"]
    done(CliRunner().invoke(evaluate, [str(word) for word in words]))
    assert "t\\udcfd" in (world.folder / "report/report.html").read_text(encoding="utf-8")


def test_a_start_box_outside_its_picture_fails_its_sequence_and_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for name, row in (("car", "700,12,8,6"), ("dog", "10,12,90,6")):
        file = world.root / name / "groundtruth_rect.txt"
        file.write_text("\n".join([row, *file.read_text().splitlines()[1:]]))
    told(world.track(), 3, "car: ", "groundtruth_rect.txt:1: the box 700,12,8,6 is outside of its picture of 64x49")
    assert not (world.out / "car.txt").exists()
    assert len(world.boxes("dog")) == 12
    assert "warning: dog: " in caplog.text
    assert "the box 10,12,90,6 reaches far beyond its picture of 64x49" in caplog.text


def test_bad_settings_are_one_line(world: World) -> None:
    told(world.track("--weights", "nowhere"), 2, "--weights nowhere: no such file")
    told(world.track("--weights", world.weights), 2, "does not say its tracker: give --tracker")
    other = world.track("--weights", world.run(), "--tracker", "atom")
    told(other, 2, "is of dimp18, you asked for atom: leave --tracker out")
    told(world.track("--dataset", "lsotb"), 2, "no manifest 'lsotb': did you mean lsotb_tir?")
    told(world.track("--sequences", "cow"), 2, "has no cow")
    told(world.track("--set", "iounet=1"), 2, "dimp18 has no parameter 'iounet'")
    told(
        world.track("--set", 'augmentation={"rotate":5}'), 2, "dimp18: augmentation is {'rotate': 5}: rotate: Input sh"
    )
    told(world.track("--tir-range", "5,5"), 2, "LOW,HIGH")
    told(world.track("--root", world.folder / "nowhere"), 3, "no such folder: correct --root")
    assert not world.out.exists()


def test_weights_that_do_not_fit_are_told_before_anything_is_touched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.track.runner.Tracker", Tracker)
    told(world.track(), 3, "weights.safetensors", "is it of another tracker?")
    told(world.track("--device", "abacus"), 2, "--device abacus: not available here: use cpu, cuda or cuda:N")
    assert not world.out.exists()


def test_what_it_writes_is_what_cmd_eval_reads(world: World) -> None:
    for name in ("one", "two"):
        done(world.track("--out", world.folder / name, "--save-frames"))
    (world.root / "attributes").mkdir()
    for name in ("car", "dog"):
        (world.root / f"attributes/{name}.txt").write_text(",".join(["1", *["0"] * 15]))
    words = ["--dataset", "tir_sequences", "--annotations", world.root, "--frames", world.root]
    words += ["--results", f"student={world.folder / 'one'}", "--results", f"teacher={world.folder / 'two'}"]
    done(CliRunner().invoke(evaluate, [str(word) for word in (*words, "--out", world.folder / "report")]))
    scores = json.loads((world.folder / "report/metrics.json").read_text())["trackers"]["student"]
    assert scores["overall"]["success"] == pytest.approx(20 / 21)
    assert scores["attributes"]["deformation"]["precision"] == 1


def test_help_loads_no_torch() -> None:
    code = "import sys\nfrom trainer.commands.track import main\n"
    code += "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
    code += "print('loaded', sorted({'torch', 'cv2', 'pydantic', 'numpy'} & sys.modules.keys()))"
    words = [sys.executable, "-c", code]
    shown = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True).stdout
    assert shown.endswith("loaded []\n")
