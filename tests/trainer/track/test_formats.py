"""`cmd-track --format`: files of other toolkits, with the same boxes, which `cmd-eval` reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.errors import DataError
from trainer.commands.evaluate import main as evaluate
from trainer.sequences.box_file import read_tracked

from ...conftest import done, told
from ..track_world import BOX, STEP, World, world

__all__ = ["world"]

FILES = {
    "plain": ("car.txt", "car_time.txt"),
    "vot": ("car/car_001.txt", "car/car_001_time.value"),
    "got10k": ("car/car_001.txt", "car/car_time.txt"),
}


def success(world: World, out: Path) -> list[float]:
    words = ["--dataset", "tir_sequences", "--annotations", world.root, "--results", f"mine={world.out}", "--out", out]
    done(CliRunner().invoke(evaluate, [str(word) for word in words]))
    tracker = json.loads((out / "metrics.json").read_text())["trackers"]
    return list(json.dumps(tracker))


@pytest.mark.parametrize("name", list(FILES))
def test_each_format_has_its_files_and_the_same_scores(world: World, name: str) -> None:
    done(world.track())
    expected = success(world, world.folder / "plain")
    done(world.track("--format", name, "--on-existing", "overwrite", "--save-frames"))
    text, times = (world.out / file for file in FILES[name])
    lines = text.read_text().splitlines()
    assert lines[0] == ("1" if name == "vot" else "10,12,8,6")
    assert np.array_equal([[*map(float, line.split(","))] for line in lines[1:]], BOX + np.arange(1, 5)[:, None] * STEP)
    assert np.loadtxt(times).shape == (5,)
    found = {path.relative_to(world.out).as_posix() for path in world.out.rglob("car*") if path.is_file()}
    assert found == set(FILES[name])
    assert len(list(world.out.glob("frames/car/*.jpg"))) == 5
    assert success(world, world.folder / name) == expected
    world.seen.frames.clear()
    done(world.track("--format", name))
    assert world.seen.frames == []


def test_the_format_is_a_setting_of_the_results(world: World) -> None:
    done(world.track())
    assert "format" not in json.loads((world.out / "plan.json").read_text())
    told(world.track("--format", "vot"), 2, "format: plain -> vot", "--on-existing overwrite")
    done(world.track("--format", "vot", "--on-existing", "overwrite"))
    assert json.loads((world.out / "track.json").read_text())["format"] == "vot"
    told(world.track("--format", "got10k"), 2, "format: vot -> got10k")
    (world.out / "car/notes.txt").write_text("mine")
    done(world.track("--on-existing", "overwrite"))
    assert [path.name for path in (world.out / "car").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("mark", ["1", "1.000"])
def test_a_mark_of_the_start_is_no_blank_row(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "s_001.txt"
    path.write_text(f"{mark}\n1,2,3,4\n\n5,6,7,8\n")
    file = read_tracked(path)
    assert file.blank == 1
    np.testing.assert_array_equal(file.boxes, [[np.nan] * 4, [1, 2, 3, 4], [np.nan] * 4, [5, 6, 7, 8]])
    path.write_text(f"{mark}\n0,0,4,0,4,2,0,2\n")
    assert read_tracked(path).boxes[1].tolist() == [0, 0, 4, 2]
    path.write_text(f"{mark}\n")
    assert read_tracked(path).boxes.shape == (1, 4)


@pytest.mark.parametrize("mark", ["0", "1", "2"])
def test_a_run_with_restarts_is_refused(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "s_001.txt"
    path.write_text(f"1\n1,2,3,4\n{mark}\n5,6,7,8\n")
    with pytest.raises(DataError, match=rf"s_001.txt:3: {mark} in place of a box: .*unsupervised"):
        read_tracked(path)
