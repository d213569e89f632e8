from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.detect.checkpoints import StandIn, module_tensors, read_model, read_tensors
from pipeline.errors import DataError

TORCH = ("torch.nn.modules.",)


class Touch:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


class Evaluate:
    """The classic: unpickling calls ``eval``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, (f"open({str(self.path)!r}, 'w')",)


def net() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Sequential(torch.nn.SiLU()))


def test_a_pickled_module_yields_its_state_dict_but_not_its_classes(tmp_path: Path) -> None:
    torch.save({"model": net(), "epoch": 3}, tmp_path / "m.pt")
    content = read_model(tmp_path / "m.pt", TORCH)
    assert isinstance(content, dict)
    assert content["epoch"] == 3
    assert isinstance(content["model"], StandIn)
    assert type(content["model"]).__name__ == "Sequential"
    tensors = dict(module_tensors(content["model"]))
    expected = net().state_dict()
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[name], value) for name, value in expected.items())


def test_buffers_that_modules_do_not_save_are_left_out(tmp_path: Path) -> None:
    model = net()
    model.register_buffer("scratch", torch.zeros(1), persistent=False)
    torch.save(model, tmp_path / "m.pt")
    assert "scratch" not in dict(module_tensors(read_model(tmp_path / "m.pt", TORCH)))


@pytest.mark.parametrize("attack", [Touch, Evaluate])
@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.pkl"])
def test_a_pickle_that_calls_something_is_refused_and_calls_nothing(tmp_path: Path, attack: type, name: str) -> None:
    trace, path = tmp_path / "trace", tmp_path / name
    content = {"model": {"weight": attack(trace)}}
    if name == "w.pkl":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(DataError, match=r"w\.\w+: refused as weights: "):
        read_tensors(path)
    with pytest.raises(DataError, match=r"w\.\w+: refused as weights: "):
        read_model(path, TORCH)
    assert not trace.exists()
    if name != "w.pkl":
        torch.load(path, weights_only=False)
        assert trace.exists(), "the attack would have worked"


def test_a_class_of_no_allowed_package_is_named(tmp_path: Path) -> None:
    torch.save({"path": Path("x")}, tmp_path / "m.pt")
    with pytest.raises(DataError, match=r"it names pathlib\.\w+"):
        read_model(tmp_path / "m.pt", TORCH)
    assert isinstance(read_model(tmp_path / "m.pt", (*TORCH, "pathlib.")), dict)


@pytest.mark.parametrize("wrap", [False, True])
def test_state_dicts_are_read_bare_or_under_model(tmp_path: Path, wrap: bool) -> None:
    state = OrderedDict(net().state_dict())
    torch.save({"model": state, "epoch": 1} if wrap else state, tmp_path / "m.pth")
    read = read_tensors(tmp_path / "m.pth")
    assert all(torch.equal(read[name], value) for name, value in state.items())
    assert read.keys() == state.keys()


def test_detectron2s_pickle_of_arrays_is_read(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.float64(2)}
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"model": arrays, "__author__": "someone"}, protocol=2))
    read = read_tensors(tmp_path / "m.pkl")
    assert read["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read["n"].item() == 2


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.pkl"])
@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    for read in (read_tensors, lambda path: read_model(path, TORCH)):
        with pytest.raises(DataError, match=rf"{name}: refused as weights: .+: get the file again") as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"hello\n", "not a file of torch.save"), (b"\x08\x0a\x12\x00", "Unsupported operand 8")],
)
def test_files_of_another_kind_are_called_so(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "m.pth").write_bytes(content)
    with pytest.raises(DataError, match=rf"refused as weights: {told}: get") as caught:
        read_tensors(tmp_path / "m.pth")
    assert "arbitrary code" not in str(caught.value)


def test_something_else_than_a_state_dict_is_refused(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "m.pth")
    with pytest.raises(DataError, match="refused as weights"):
        read_tensors(tmp_path / "m.pth")
