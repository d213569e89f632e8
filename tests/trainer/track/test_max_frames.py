"""`cmd-track --max-frames`: as many frames and no more, told wherever somebody could take them for all."""

from __future__ import annotations

import json

from click.testing import CliRunner, Result

from trainer.commands.evaluate import main as evaluate

from ...conftest import done, told
from ..track_world import World, world

__all__ = ["world"]


def measured(world: World, *results: str, more: tuple[object, ...] = ()) -> Result:
    words = ["--dataset", "tir_sequences", "--annotations", world.root, "--out", world.folder / "report", *more]
    given = [word for name in results for word in ("--results", f"{name}={world.folder / name}")]
    return CliRunner().invoke(evaluate, [str(word) for word in (*words, *given)])


def test_as_many_frames_are_tracked_and_it_is_a_setting(world: World) -> None:
    assert "frames     12" in done(world.track("--max-frames", 7))
    assert len(world.seen.frames) == 12
    assert {name: len(world.boxes(name)) for name in ("car", "dog")} == {"car": 5, "dog": 7}
    assert json.loads((world.out / "track.json").read_text())["max_frames"] == 7
    world.seen.frames.clear()
    done(world.track("--max-frames", 7))
    assert world.seen.frames == []
    told(world.track("--max-frames", 8), 2, "max_frames: 7 -> 8", "--on-existing overwrite")
    told(world.track(), 2, "max_frames: 7 -> None")
    done(world.track("--on-existing", "overwrite"))
    assert "max_frames" not in json.loads((world.out / "plan.json").read_text())
    told(world.track("--max-frames", 0), 2, "--max-frames")


def test_what_was_tracked_is_measured_and_told(world: World) -> None:
    done(world.track("--max-frames", 7, "--out", world.folder / "short"))
    done(world.track("--max-frames", 7, "--seed", 1, "--out", world.folder / "other"))
    done(measured(world, "short", "other"))
    metrics = json.loads((world.folder / "report/metrics.json").read_text())
    line = (
        "only the first 7 frames were tracked (--max-frames): what is longer, 1 of 2 sequences, is measured up to there"
    )
    assert [each for each in metrics["warnings"] if each.startswith(line)]


def test_a_tracker_that_saw_more_is_not_compared(world: World) -> None:
    done(world.track("--max-frames", 7, "--out", world.folder / "short"))
    done(world.track("--out", world.folder / "whole"))
    told(measured(world, "whole", "short"), 2, "short was tracked with --max-frames 7, whole not", "track all alike")
    done(measured(world, "whole", "short", more=("--sequences", "car")))
    assert "--max-frames" not in (world.folder / "report/metrics.json").read_text()


def test_more_frames_than_there_are_is_all_of_them(world: World) -> None:
    done(world.track("--max-frames", 20, "--out", world.folder / "all"))
    done(world.track("--out", world.folder / "whole"))
    done(measured(world, "all", "whole"))
    assert "--max-frames" not in (world.folder / "report/metrics.json").read_text()
