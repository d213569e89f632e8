"""A run's folder: refused when taken, whole after a kill, never trusted on the way back."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import DataError, UsageError
from trainer.checkpoints.run_folder import META, METRICS, MODEL, STATE, RunFolder
from trainer.checkpoints.weights import load_weights
from trainer.recipes import settings as run_settings
from trainer.recipes.settings import TrainConfig

IDENTITY = {"seed": 0, "recipe": "c1", "shards": "abc"}


EMPTY: dict[str, Any] = {"head": None, "buffers": {}, "frozen": "0"}


def state(**changes: Any) -> dict[str, Any]:
    return {"epoch": 2, "identity": IDENTITY, "optimizer": {"w": torch.arange(3.0).double()}} | EMPTY | changes


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a/run")
    with folder.held():
        assert folder.resume(IDENTITY) is None
        folder.save_state(state())
    back = RunFolder(tmp_path / "a/run").resume(IDENTITY)
    assert back is not None
    assert back["epoch"] == 2
    assert back["optimizer"]["w"].equal(torch.arange(3.0).double())
    assert not list(tmp_path.rglob("*.part*"))


@pytest.mark.parametrize("name", [STATE, MODEL])
def test_a_folder_that_holds_a_run_is_refused_overwritten_or_left(tmp_path: Path, name: str) -> None:
    folder, own = RunFolder(tmp_path), tmp_path / "own.json"
    own.touch()
    folder.claim("fail")
    for made in (name, META):
        (tmp_path / made).touch()
    with pytest.raises(UsageError, match=f"already holds {re.escape(name)}: choose another --out or --on-existing"):
        folder.claim("fail")
    folder.claim("resume")
    assert (tmp_path / name).exists()
    folder.claim("overwrite")
    assert list(tmp_path.iterdir()) == [own]


def test_what_killed_ones_left_half_written_is_swept_when_a_run_holds_the_folder(tmp_path: Path) -> None:
    names = [STATE, MODEL, METRICS, "run.json", "curves.png", "report.html", "student.pth.tar"]
    for name in (*names, "notes.txt"):
        (tmp_path / f"{name}.part-0123abcd").touch()
    with RunFolder(tmp_path).held():
        assert [path.name for path in tmp_path.glob("*.part-*")] == ["notes.txt.part-0123abcd"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    held = RunFolder(tmp_path / "file/run").held()
    with pytest.raises(UsageError, match=r"cannot write to .*file/run: .*choose another --out"), held:
        raise AssertionError


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.save_state(state())
    with pytest.raises(
        UsageError, match=r"other settings or input \(seed: 0 -> 1; shards: abc -> x\): choose another --out"
    ):
        folder.resume(IDENTITY | {"seed": 1, "shards": "x"})
    with pytest.raises(UsageError, match="new: None -> 1"):
        folder.resume(IDENTITY | {"new": 1})


OLD: dict[str, Any] = {
    "recipe": "c1", "tracker": "dimp18", "samples_per_epoch": 4, "batch_size": 2, "amp": False, "seed": 3,
    "rates": {"bbe": None, "tcl": 0.0001, "backbone": None}, "gamma": 0.5, "step": 15, "losses": "tracker",
    "tcl_loss": None, "bbe_loss": None, "weight": 1.0, "mu": 0.0, "nu": 0.0, "mix": "batch", "mix_pairs": "twice",
    "teacher": "init", "tcl_features": "frozen", "jitter": "tracker", "held_out": 0.1, "held_out_samples": 2,
    "split_seed": 0, "head_steps": 400,
}  # fmt: skip
"""What a run of version 0.1 kept of its settings."""
AGAIN: dict[str, Any] = {
    "recipe": "c1", "tracker": "dimp18", "samples_per_epoch": 4, "batch_size": 2, "seed": 3, "rates": {"tcl": 1e-4},
    "held_out_samples": 2, "out": "run", "device": "cuda", "epochs": 7,
}  # fmt: skip


def test_a_state_of_the_first_version_is_gone_on_with(tmp_path: Path) -> None:
    """Its identity is written today as it was, and what it does not say counts as it was then."""
    folder = RunFolder(tmp_path)
    folder.save_state(state(identity=OLD))
    now = TrainConfig.model_validate(AGAIN).identity()
    assert now == OLD
    assert folder.resume(now) is not None


@pytest.mark.parametrize(("value", "told"), [(0.0, None), (0.1, "nu: 0.0 -> 0.1")])
def test_a_setting_that_came_later_counts_as_its_default_of_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, told: str | None
) -> None:
    monkeypatch.setitem(run_settings.BEFORE, "nu", 0.0)
    folder = RunFolder(tmp_path)
    folder.save_state(state(identity={key: value for key, value in OLD.items() if key != "nu"}))
    config = TrainConfig.model_validate(AGAIN | {"nu": value})
    assert ("nu" in config.identity()) == ("nu" in config.record()) == (told is not None)
    if told is None:
        assert folder.resume(config.identity()) is not None
    else:
        with pytest.raises(UsageError, match=told):
            folder.resume(config.identity())


def test_a_run_that_other_results_belong_to_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)
    folder.save_state(state(identity=OLD))
    monkeypatch.setattr(run_settings, "RESULTS", 2)
    with pytest.raises(UsageError, match="results: 1 -> 2"):
        folder.resume(TrainConfig.model_validate(AGAIN).identity())


@pytest.mark.parametrize("damage", ["empty", "half", "flipped", "text"])
def test_a_damaged_state_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    folder = RunFolder(tmp_path)
    folder.save_state(state(optimizer={"w": torch.zeros(5000)}))
    data = (tmp_path / STATE).read_bytes()
    middle = len(data) // 2
    bad = {
        "empty": b"",
        "half": data[:middle],
        "flipped": data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :],
        "text": b"hello",
    }
    (tmp_path / STATE).write_bytes(bad[damage])
    with pytest.raises(DataError, match=r"state\.pt: damaged, cannot resume: .*another --out"):
        folder.load_state()


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 1}, state(extra=1), {}])
def test_a_file_that_is_no_state_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / STATE)
    with pytest.raises(DataError, match=r"state\.pt: not the state of a run"):
        RunFolder(tmp_path).load_state()


class Evil:
    """Unpickling it would make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_malicious_state_is_not_executed(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    torch.save(state(head=Evil(trap)), tmp_path / STATE)
    with pytest.raises(DataError, match=r"refused, since it names .*mkdir"):
        RunFolder(tmp_path).load_state()
    assert not trap.exists()
    torch.load(tmp_path / STATE, weights_only=False)
    assert trap.exists()


@pytest.mark.parametrize(
    ("epochs", "steps", "kept"), [(2, 8, 6), (1, 7, 5), (1, 6, 4), (1, 4, 4), (0, 3, 2), (0, 0, 1)]
)
def test_metrics_of_lost_steps_are_dropped(tmp_path: Path, epochs: int, steps: int, kept: int) -> None:
    folder = RunFolder(tmp_path)
    rows: list[dict[str, Any]] = [{"epoch": -1, "held_out": True}, {"epoch": 0, "step": 1}, {"epoch": 0, "step": 3}]
    rows += [{"epoch": 0, "held_out": True}, {"epoch": 1, "step": 6}, {"epoch": 1, "step": 7}]
    folder.log(rows)
    with (tmp_path / METRICS).open("a") as file:
        file.write('{"epoch": 0, "lo')
    folder.keep_metrics(epochs, steps)
    assert [json.loads(line) for line in (tmp_path / METRICS).read_text().splitlines()] == rows[:kept]
    folder.drop_metrics()
    assert not (tmp_path / METRICS).exists()


def test_a_model_is_written_with_what_it_is(tmp_path: Path) -> None:
    weights = {"a": torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last), "b": torch.tensor(3)}
    RunFolder(tmp_path).save_model(weights, {"tracker": "dimp18"})
    back = load_weights(tmp_path / MODEL)
    assert all(back[name].equal(value) for name, value in weights.items())
    assert json.loads((tmp_path / "model.json").read_text()) == {"tracker": "dimp18"}


def test_equal_states_are_equal_files(tmp_path: Path) -> None:
    """Names of parts are drawn at random, and torch writes the name of the file that it is given into it."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        RunFolder(tmp_path / name).save_state({"epoch": 1})
    assert (tmp_path / "a" / STATE).read_bytes() == (tmp_path / "b" / STATE).read_bytes()
