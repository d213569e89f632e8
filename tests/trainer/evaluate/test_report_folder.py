"""The folder of a report: cmd-eval replaces what it made itself, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline import images
from pipeline.runtime.output import locked

from ...conftest import done, lasting, told
from ...offered import offered, parsed
from ..conftest import Eval, World, evaluate, world, write_boxes

__all__ = ["evaluate", "world"]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lasting_of(folder: Path) -> dict[str, bytes]:
    return {path.name: lasting(path) for path in folder.iterdir()}


@pytest.fixture
def out(world: World) -> Path:
    return world.root / "out"


@pytest.fixture
def frames(world: World) -> Path:
    """Pictures of one sequence, to draw a strip of."""
    folder = world.root / "pictures/car_V_001/img"
    folder.mkdir(parents=True)
    for frame in range(len(world.truth["car_V_001"])):
        (folder / f"{frame + 1:04d}.jpg").write_bytes(images.encode(np.full((60, 80), frame, np.uint8), ".jpg"))
    return world.root / "pictures"


@pytest.mark.parametrize("listed", [True, False])
def test_an_earlier_report_is_replaced_whole_and_nothing_else(
    evaluate: Eval, out: Path, frames: Path, listed: bool
) -> None:
    """Reports of before their files were listed too."""
    done(evaluate("near", "lost", "--frames", frames))
    assert (out / "frames_car_V_001.svg").is_file()
    if not listed:
        content = json.loads((out / "metrics.json").read_text())
        del content["files"]
        (out / "metrics.json").write_text(json.dumps(content))
        (out / "tables.tex").unlink()
    for name in ("notes.txt", "frames_mine.svg", "metrics.json.bak"):
        (out / name).write_text("mine")
    done(evaluate("near"))
    assert {name for name in bytes_of(out) if name.startswith("frames_")} == {"frames_mine.svg"}
    assert json.loads((out / "metrics.json").read_text())["trackers"].keys() == {"near"}
    assert (out / "notes.txt").read_text() == (out / "metrics.json.bak").read_text() == "mine"


def test_what_a_report_lists_outside_of_its_folder_stays(evaluate: Eval, out: Path) -> None:
    done(evaluate("near"))
    content = json.loads((out / "metrics.json").read_text())
    (out / "frames_").mkdir()
    (out.parent / "mine.svg").write_text("mine")
    content["files"].append("frames_/../../mine.svg")
    (out / "metrics.json").write_text(json.dumps(content))
    done(evaluate("near"))
    assert (out.parent / "mine.svg").read_text() == "mine"


@pytest.mark.parametrize("mode", ["resume", "overwrite", "fail"])
@pytest.mark.parametrize("name", ["report.html", "success.svg", "tables.md", "tables.tex", "metrics.json"])
def test_what_others_made_is_never_replaced(evaluate: Eval, out: Path, name: str, mode: str) -> None:
    out.mkdir()
    (out / name).write_text('{"pairs": 4}')
    told(evaluate("near", "--on-existing", mode), 2, f"{out} holds {name}, which cmd-eval did not make: choose another")
    assert bytes_of(out) == {name: b'{"pairs": 4}', ".lock": b""}


def test_fail_refuses_an_earlier_report(evaluate: Eval, out: Path) -> None:
    done(evaluate("near", "--on-existing", "fail"))
    before = bytes_of(out)
    said = told(evaluate("lost", "--on-existing", "fail"), 2, f"{out} already holds metrics.json: choose another --out")
    assert parsed(offered(said)).params["on_existing"] == "overwrite"
    assert bytes_of(out) == before


def test_resume_goes_on_with_equal_settings_and_input_alone(world: World, evaluate: Eval, out: Path) -> None:
    done(evaluate("near", "lost", "--on-existing", "resume"))
    before = lasting_of(out)
    (out / "success.svg").unlink()
    done(evaluate("near", "lost", "--on-existing", "resume"))
    assert lasting_of(out) == before
    told(
        evaluate("near", "lost", "--seed", 1, "--on-existing", "resume"),
        2,
        "other settings or input (settings.seed: 0 -> 1)",
    )
    write_boxes(world.folder("near") / "dog_D_001.txt", world.truth["dog_D_001"])
    told(evaluate("near", "lost", "--on-existing", "resume"), 2, "other settings or input (measured: ")
    assert lasting_of(out) == before
    done(evaluate("near", "lost"))
    assert lasting_of(out) != before


def test_a_run_that_failed_half_way_is_gone_on_with(evaluate: Eval, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device", str(out / "report.html"))

    done(evaluate("lost"))
    with monkeypatch.context() as patched:
        patched.setattr("trainer.evaluate.stage.page.build_page", full)
        told(evaluate("near"), 4, "report.html: No space left on device: free space")
    assert "report.html" not in bytes_of(out), "a page of other numbers than those beside it"
    (out / "success.svg.part-0123abcd").write_text("of a run that was killed")
    done(evaluate("near", "--on-existing", "resume"))
    assert bytes_of(out).keys() >= {"report.html", "success.svg", "metrics.json"}
    assert not list(out.glob("*.part-*"))


def test_two_runs_are_kept_apart(evaluate: Eval, out: Path) -> None:
    with locked(out, ()):
        told(evaluate("near"), 4, f"another run is writing to {out}: wait for it")
    done(evaluate("near"))


def test_an_error_leaves_no_folder(world: World, evaluate: Eval, out: Path, frames: Path) -> None:
    for path in frames.rglob("*.jpg"):
        path.write_bytes(b"no picture")
    told(evaluate("near", "lost", "--frames", frames), 3, "not a picture that can be read")
    told(evaluate("near", "--out", out / "a/b", "--sequences", "nope"), 2, "has no nope")
    assert not out.exists()
    (world.root / "file").write_text("")
    told(evaluate("near", "--out", world.root / "file/out"), 2, "cannot write to")
    assert not out.exists()


def test_sequences_whose_strips_would_share_a_name_have_one_each(world: World, evaluate: Eval, out: Path) -> None:
    root, words = world.root / "own", ["--dataset", "tir_sequences"]
    for name in ("a b", "a_b"):
        for folder, shift in (("truth", 0), ("near", 9)):
            write_boxes(root / folder / f"{name}.txt", world.truth["car_V_001"] + [shift, 0, 0, 0])
        for frame in range(len(world.truth["car_V_001"])):
            path = root / "pictures" / name / "img" / f"{frame + 1:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(images.encode(np.full((60, 80), frame, np.uint8), ".png"))
    words += ["--annotations", root / "truth", "--frames", root / "pictures", "--results", f"x={root / 'near'}"]
    done(evaluate(*words))
    assert {path.name for path in out.glob("frames_*.svg")} == {"frames_a_b.svg", "frames_a_b_.svg"}
