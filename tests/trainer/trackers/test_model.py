"""What --weights means, and when a run is told that it sees TIR otherwise than its training data was seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import DataError, UsageError
from pipeline.files.hashing import file_sha256
from trainer.sequences.frames import Kind
from trainer.trackers.model import find_model, range_warning

from ..track_world import World, world

__all__ = ["world"]


def test_a_run_says_its_tracker_and_a_plain_file_does_not(world: World) -> None:
    run = world.run(tracker="superdimp")
    for path in (run, run / "model.safetensors"):
        model = find_model(path, None)
        assert (model.file, model.tracker, model.learnt) == (run / "model.safetensors", "superdimp", ())
        assert model.sha256 == file_sha256(model.file)
    assert find_model(run, "superdimp").tracker == "superdimp"
    assert find_model(world.weights, "atom").tracker == "atom"
    with pytest.raises(UsageError, match="a plain file does not say its tracker: give --tracker"):
        find_model(world.weights, None)
    with pytest.raises(UsageError, match="is of superdimp, you asked for dimp18: leave --tracker out"):
        find_model(run, "dimp18")


def test_what_is_missing_or_damaged_is_named(world: World) -> None:
    with pytest.raises(UsageError, match=r"--weights \S+data/model.safetensors: no such file"):
        find_model(world.root, "dimp18")
    run = world.run()
    for near in (run.parent, run.with_name(f"{run.name}s")):
        with pytest.raises(UsageError, match=rf"no such file: did you mean {run}[?,]"):
            find_model(near, "dimp18")
    with pytest.raises(UsageError, match="unknown tracker 'siamfc'"):
        find_model(world.run(tracker="siamfc"), None)
    (world.run() / "model.json").write_text("{")
    with pytest.raises(DataError, match=r"model\.json: not the description of a model"):
        find_model(world.folder / "run", None)


@pytest.mark.parametrize(
    ("learnt", "kind", "tir_range", "said"),
    [
        ([], "deep", None, None),
        (["8-bit"], "grey", None, None),
        (["8-bit", [7000.0, 12100.0]], "deep", (7000.0, 12100.0), None),
        (["sequence"], "deep", None, None),
        (
            ["8-bit"],
            "deep",
            None,
            "taken as 16-bit TIR of a range found in each sequence, but the weights learnt from 8",
        ),
        (
            [[7000.0, 9000.0]],
            "deep",
            (7000.0, 12100.0),
            "but the weights learnt from 16-bit TIR of the range [7000.0, 9",
        ),
        (["sequence", [1.0, 2.0]], "grey", None, "taken as 8-bit TIR, but the weights learnt from 16-bit TIR of a ran"),
        ([], "grey", (7000.0, 12100.0), "has 8 bits, on which --tir-range has no effect"),
        (["8-bit"], "colour", None, "taken as colour pictures, R, G, B, but the weights learnt from 8-bit TIR"),
        (["visible"], "colour", None, None),
        (["visible"], "grey", None, None),
        (["visible"], "deep", None, None),
        (["visible"], "grey", (7000.0, 12100.0), "has 8 bits, on which --tir-range has no effect"),
        (["visible", "8-bit"], "colour", None, None),
        (["visible", "8-bit"], "deep", None, "learnt from colour pictures, R, G, B and 8-bit TIR: see --tir-range"),
        ([], "colour", None, None),
        (["8-bit"], None, (1.0, 2.0), None),
    ],
)
def test_another_range_than_that_of_the_training_data_is_told(
    learnt: list[object], kind: Kind | None, tir_range: tuple[float, float] | None, said: str | None
) -> None:
    line = range_warning(learnt, {Path("car/img/1.png"): kind}, tir_range)
    assert line == said if said is None else said in str(line)


def test_the_ranges_come_from_the_runs_description(world: World) -> None:
    assert find_model(world.run(tir_ranges=["8-bit", [1, 2]]), None).learnt == ("8-bit", [1, 2])
    assert json.loads((world.folder / "run/model.json").read_text())["tir_ranges"] == ["8-bit", [1, 2]]
