"""What a run does with the folder of another: kept, gone on with, overwritten, or refused by what differs."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from pipeline.config import OnExisting
from pipeline.errors import CmdTirError, DataError, UsageError
from trainer.checkpoints.run_folder import MODEL, REPORT, STATE, RunFolder
from trainer.checkpoints.weights import load_weights
from trainer.train import loop

from ..train_world import same_bits, settings, shard, small_windows, write_world

pytestmark = pytest.mark.usefixtures("small_training")
SHOWN = {"rates": {"tcl": 1e-4}}


@pytest.fixture(scope="module")
def finished(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One epoch of c1."""
    run = tmp_path_factory.mktemp("runs") / "c1"
    with pytest.MonkeyPatch.context() as patch:
        small_windows(patch)
        loop.train_row(settings(world, run, epochs=1, **SHOWN))
    return run


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When the files of a run were written, and their bytes."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir() if path.is_file()}


def test_an_existing_run_is_refused_where_that_is_asked_for(world: Path, finished: Path) -> None:
    before = content(finished)
    with pytest.raises(UsageError, match=r"already holds state\.pt: choose another --out or --on-existing overwrite"):
        loop.train_row(settings(world, finished, on_existing="fail", **SHOWN))
    assert content(finished) == before


def test_a_finished_run_is_kept_and_says_so(world: Path, finished: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = content(finished)
    with caplog.at_level("INFO"):
        kept = loop.train_row(settings(world, finished, epochs=1, **SHOWN))
    assert f"{finished} is finished and kept" in caplog.text
    assert kept.epochs == 1
    assert "samples/s" not in dict(kept.rows())
    assert content(finished) == before


def test_a_run_that_was_stopped_before_its_report_gets_it(world: Path, finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    (run / REPORT).unlink()
    loop.train_row(settings(world, run, epochs=1, **SHOWN))
    assert (run / REPORT).is_file()
    assert (run / MODEL).read_bytes() == (finished / MODEL).read_bytes()


def test_fewer_epochs_than_a_run_has_are_refused(world: Path, tmp_path: Path) -> None:
    loop.train_row(settings(world, tmp_path, epochs=2, **SHOWN))
    with pytest.raises(UsageError, match="has gone on for 2 epochs, not 1"):
        loop.train_row(settings(world, tmp_path, epochs=1, **SHOWN))


def test_other_weights_to_start_from_are_refused(world: Path, tmp_path: Path, teacher: Path) -> None:
    """The run would go on from its own without a word."""
    run, other = tmp_path / "run", tmp_path / "other.safetensors"
    weights = load_weights(teacher)
    loop.train_row(settings(world, run, epochs=1, init=(teacher,), **SHOWN))
    for name in ("feature_extractor.conv1.weight", "bb_regressor.fc3_rt.linear.weight"):
        save_file(weights | {name: weights[name] * 2}, other)
        for epochs in (1, 2):
            with pytest.raises(UsageError, match=r"began with other weights than --init .*other\.safetensors: give"):
                loop.train_row(settings(world, run, epochs=epochs, init=(other,), **SHOWN))
    same = Path(shutil.copy(teacher, tmp_path / "copy.safetensors"))
    for init in ((same,), (tmp_path / "gone.safetensors",), ()):
        assert loop.train_row(settings(world, run, epochs=1, init=init, **SHOWN)).epochs == 1


def test_overwriting_removes_what_a_run_made_and_nothing_else(world: Path, finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    for name in ("notes.json", "figure.png", "index.html"):
        (run / name).write_text("the user's own")
    loop.train_row(settings(world, run, epochs=1, on_existing="overwrite", seed=1, **SHOWN))
    assert {(run / name).read_text() for name in ("notes.json", "figure.png", "index.html")} == {"the user's own"}
    assert not same_bits(run, finished)


def test_a_run_that_never_saved_a_state_is_tied_to_its_settings_too(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "_epoch", interrupt)
        loop.train_row(settings(world, tmp_path, epochs=1, **SHOWN))
    assert not (tmp_path / STATE).exists()
    with pytest.raises(UsageError, match="seed: 0 -> 1"):
        loop.train_row(settings(world, tmp_path, epochs=1, seed=1, **SHOWN))
    loop.train_row(settings(world, tmp_path, epochs=1, **SHOWN))


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_model_whose_state_is_gone_is_not_written_over(world: Path, finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    (run / STATE).unlink()
    with pytest.raises(UsageError, match=r"holds model\.safetensors but no state\.pt to go on from"):
        loop.train_row(settings(world, run, epochs=2, **SHOWN))


@pytest.mark.parametrize("on_existing", ["resume", "overwrite", "fail"])
def test_a_model_that_no_run_made_is_never_written_over(world: Path, tmp_path: Path, on_existing: OnExisting) -> None:
    (tmp_path / MODEL).write_text("mine")
    with pytest.raises(UsageError, match=r"holds model\.safetensors but no model\.json, so no run made it"):
        loop.train_row(settings(world, tmp_path, on_existing=on_existing))
    assert (tmp_path / MODEL).read_text() == "mine"


def test_the_state_is_read_under_the_lock(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it could be another by the time that the folder is held."""
    held: list[bool] = []

    def load(folder: RunFolder) -> None:
        with pytest.raises(CmdTirError, match="another run is writing"), folder.held():
            raise AssertionError
        held.append(True)

    monkeypatch.setattr(RunFolder, "load_state", load)
    loop.train_row(settings(world, tmp_path, epochs=1, **SHOWN))
    assert held


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed: 0 -> 1"),
        ({"batch_size": 1}, "batch_size: 2 -> 1"),
        ({"rates": {"tcl": 1e-3}}, "rates.tcl: 0.0001 -> 0.001"),
        ({"tracker": "dimp50"}, "tracker: dimp18 -> dimp50"),
        ({"recipe": "b1", "rates": {}}, "recipe: c1 -> b1; rates.tcl: 0.0001 -> None"),
        ({"samples_per_epoch": 4, "losses": "paper"}, "losses: tracker -> paper; samples_per_epoch: 2 -> 4"),
    ],
)
def test_other_settings_are_refused_on_resume_by_name(
    world: Path, finished: Path, change: dict[str, Any], named: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(f"made with other settings or input ({named}): choose another")):
        loop.train_row(settings(world, finished, **SHOWN | change))


def test_other_shards_are_refused_on_resume(tmp_path: Path, finished: Path) -> None:
    other = write_world(tmp_path, shard(sequences=7))
    with pytest.raises(UsageError, match=r"other settings or input \(shards: "):
        loop.train_row(settings(other, finished, **SHOWN))


def test_a_damaged_state_or_model_is_refused(world: Path, finished: Path, tmp_path: Path) -> None:
    for name in (STATE, MODEL):
        run = tmp_path / name
        run.mkdir()
        for file in (STATE, MODEL):
            data = (finished / file).read_bytes()
            (run / file).write_bytes(data[: len(data) // 2] if file == name else data)
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            loop.train_row(settings(world, run, **SHOWN))


def test_a_model_that_was_altered_is_not_resumed(world: Path, finished: Path, tmp_path: Path) -> None:
    """Frozen tensors come from the model file: another one's would be trained on without a word."""
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    weights = load_weights(run / MODEL)
    weights["feature_extractor.conv1.weight"][0] += 1
    save_file(weights, run / MODEL)
    with pytest.raises(DataError, match=r"model\.safetensors: altered since the state was saved"):
        loop.train_row(settings(world, run, epochs=2, **SHOWN))
