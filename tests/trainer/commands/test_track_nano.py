"""cmd-track with NanoTrack: from a run's folder, gone on with, its parameters, 16-bit frames, several processes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from trainer.checkpoints.weights import save_weights
from trainer.commands.track import main
from trainer.net import build_network

from ...conftest import done, told
from ..track_world import write_sequence


class Real:
    """Sequences, a run with random weights, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_sequence(folder / "data", "car", 4)
        write_sequence(folder / "data", "deep", 3, deep=True)
        (folder / "run").mkdir()
        torch.manual_seed(0)
        save_weights(build_network("nanotrack_v2").state_dict(), folder / "run" / "model.safetensors")
        (folder / "run" / "model.json").write_text(json.dumps({"recipe": "b1", "tracker": "nanotrack_v2"}))

    def track(self, *words: object) -> Result:
        given = ["--weights", self.folder / "run", "--dataset", "tir_sequences", "--root", self.folder / "data"]
        given += ["--out", self.folder / "out", "--device", "cpu", "--workers", 1, *words]
        return CliRunner().invoke(main, [str(word) for word in given])

    def boxes(self, name: str) -> NDArray[np.float64]:
        return np.loadtxt(self.folder / "out" / f"{name}.txt", delimiter=",")


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Real:
    # The process is the tests': other tests count on its threads.
    monkeypatch.setattr("trainer.track.runner.torch.set_num_threads", lambda count: None)
    return Real(tmp_path)


def test_a_run_is_tracked_and_gone_on_with(real: Real) -> None:
    done(real.track())
    assert json.loads((real.folder / "out" / "track.json").read_text())["tracker"] == "nanotrack_v2"
    first = real.boxes("car"), real.boxes("deep")
    assert [boxes.shape for boxes in first] == [(4, 4), (3, 4)]
    kept = (real.folder / "out" / "deep_time.txt").stat().st_mtime_ns
    (real.folder / "out" / "car.txt").unlink()
    done(real.track())
    assert (real.folder / "out" / "deep_time.txt").stat().st_mtime_ns == kept
    np.testing.assert_array_equal(real.boxes("car"), first[0])
    told(real.track("--set", "rules=opencv"), 2, "params.rules: None -> opencv")
    done(real.track("--set", "rules=opencv", "--on-existing", "overwrite"))
    assert (real.boxes("car")[1:] != first[0][1:]).any()
    assert (real.boxes("car")[1:] == np.trunc(real.boxes("car")[1:])).all()


def test_what_ran_the_network_counts_whether_it_was_named_or_not(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.trackers.nano.networks.find_spec", lambda name: None)
    done(real.track("--set", "rules=opencv"))
    for name in ("plan.json", "track.json"):
        params = json.loads((real.folder / "out" / name).read_text())["params"]
        assert params == {"rules": "opencv", "engine": "torch"}, name
    kept = (real.folder / "out" / "car_time.txt").stat().st_mtime_ns
    done(real.track("--set", "rules=opencv", "--set", "engine=torch"))
    assert (real.folder / "out" / "car_time.txt").stat().st_mtime_ns == kept
    monkeypatch.setattr("trainer.trackers.nano.networks.find_spec", lambda name: name)
    told(real.track("--set", "rules=opencv", "--set", "engine=onnxruntime"), 2, "params.engine: torch -> onnxruntime")


def test_what_ran_the_network_goes_on_where_more_is_at_hand(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun where onnxruntime was missing, or on a GPU; made anew it is what is at hand."""
    with monkeypatch.context() as lacking:
        lacking.setattr("trainer.trackers.nano.networks.find_spec", lambda name: None)
        done(real.track("--set", "rules=opencv", "--sequences", "car"))
    for words, engine in (((), "torch"), (("--on-existing", "overwrite"), "onnxruntime")):
        done(real.track("--set", "rules=opencv", *words))
        assert json.loads((real.folder / "out/plan.json").read_text())["params"]["engine"] == engine


@pytest.mark.parametrize("begun", ["cpu", "here"])
def test_one_device_finishes_what_another_began(real: Real, device: torch.device, begun: str) -> None:
    devices = ("cpu", device) if begun == "cpu" else (device, "cpu")
    done(real.track("--sequences", "car", "--device", devices[0]))
    kept = (real.folder / "out" / "car_time.txt").stat().st_mtime_ns
    done(real.track("--device", devices[1]))
    assert (real.folder / "out" / "car_time.txt").stat().st_mtime_ns == kept
    assert len(real.boxes("deep")) == 3


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("penalty=0.1", "--set: nanotrack_v2 has no parameter 'penalty': did you mean penalty_k?"),
        ("search_area_scale=5", "--set: nanotrack_v2 has no parameter 'search_area_scale': the parameters are rules"),
        ("rules=numpy", "--set: nanotrack_v2: rules is 'numpy': Input should be 'pytorch' or 'opencv'"),
        ("min_side_of_box=2", "--set: nanotrack_v2: min_side_of_box is 2"),
    ],
)
def test_parameters_that_do_not_fit_are_named(real: Real, word: str, message: str) -> None:
    told(real.track("--set", word), 2, message)


def test_weights_of_a_backbone_alone_are_named_once(real: Real) -> None:
    file = real.folder / "backbone.safetensors"
    save_weights({"conv1.weight": torch.zeros(1)}, file)
    result = real.track("--weights", file, "--tracker", "nanotrack_v2")
    told(result, 2, f"error: {file}: holds a bare backbone, but tracking needs the whole network of nanotrack_v2")


@pytest.mark.parametrize("rules", ["pytorch", "opencv"])
def test_frames_of_sixteen_bits_are_tracked_as_the_eight_bits_that_they_become(real: Real, rules: str) -> None:
    """A raw value of 20 above 7000 is a grey level of one."""
    write_sequence(real.folder / "data", "grey", 3)
    done(real.track("--tir-range", "7000,12100", "--set", f"rules={rules}"))
    np.testing.assert_array_equal(real.boxes("deep"), real.boxes("grey"))
    assert (real.boxes("deep") != real.boxes("deep")[0]).any()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_processes_give_the_same_boxes(real: Real) -> None:
    done(real.track())
    alone = real.boxes("car"), real.boxes("deep")
    done(real.track("--workers", 2, "--on-existing", "overwrite"))
    for name, boxes in zip(("car", "deep"), alone):
        np.testing.assert_allclose(real.boxes(name), boxes, atol=1e-3)
