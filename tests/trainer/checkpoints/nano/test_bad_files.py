"""Files that are not NanoTrack V2, or not whole: one line each, that names them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from pipeline.errors import DataError, UsageError
from trainer.checkpoints.nano_onnx import BACKBONE, HEAD, backbone_graph, head_graph, onnx_pair
from trainer.checkpoints.weights import load_into, load_weights
from trainer.net.nano import nanotrack_v2

from ...net.nano.drawn import drawn_network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    net = drawn_network()
    (tmp_path / BACKBONE).write_bytes(backbone_graph(net))
    (tmp_path / HEAD).write_bytes(head_graph(net))
    return tmp_path


def refused(path: Path, kind: type[Exception] = DataError) -> str:
    with pytest.raises(kind) as caught:
        load_weights(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def other_head(path: Path, module: str, width: int) -> None:
    """A head of one convolution, with the name and the width of another version's."""
    shape = [1, width, 8, 8]
    sides = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("input1", "output1")]
    weight = numpy_helper.from_array(np.ones((width, width, 1, 1), np.float32), f"{module}.weight")
    node = helper.make_node("Conv", ["input1", weight.name], ["output1"], "Conv_0")
    graph = helper.make_graph([node], "head", sides[:1], sides[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize(("module", "width", "version"), [("corr_pw.CA_layer.fc1", 64, "V1"), ("down_cls.0", 96, "V3")])
def test_the_head_of_another_version_is_named(folder: Path, module: str, width: int, version: str) -> None:
    other_head(folder / HEAD, module, width)
    message = refused(folder / HEAD)
    assert message.startswith(f"{folder / HEAD}: ")
    assert message.endswith(f"it is of NanoTrack {version}")


def test_another_width_is_told(folder: Path) -> None:
    model = onnx.load(folder / HEAD)
    (weight,) = [each for each in model.graph.initializer if each.name == "cls_pred.0.weight"]
    weight.CopyFrom(numpy_helper.from_array(np.ones((3, 96, 1, 1), np.float32), weight.name))
    (folder / HEAD).write_bytes(model.SerializeToString())
    assert "cls_pred.0 (3, 96, 1, 1) instead of (2, 96, 1, 1)" in refused(folder / HEAD)


def test_the_two_files_may_not_be_exchanged(folder: Path) -> None:
    (folder / HEAD).write_bytes((folder / BACKBONE).read_bytes())
    assert f"{folder / HEAD}: does not fit nanotrack_v2: no corr_pw_reg" in refused(folder / BACKBONE)


@pytest.mark.parametrize("content", [b"", b"no graph at all", b"\x08\x07\x12\x00"])
def test_damaged_files(folder: Path, content: bytes) -> None:
    (folder / BACKBONE).write_bytes(content)
    assert f"{folder / BACKBONE}: not an ONNX file of its own, or a damaged one" in refused(folder / HEAD)


def test_a_file_cut_short(folder: Path) -> None:
    whole = (folder / HEAD).read_bytes()
    for share in (0.1, 0.5, 0.999):
        (folder / HEAD).write_bytes(whole[: int(len(whole) * share)])
        assert "damaged" in refused(folder / HEAD)


def test_changed_bytes_end_in_no_other_error(folder: Path) -> None:
    """Operators come before weights, which any bytes are."""
    whole, rng = (folder / HEAD).read_bytes(), np.random.default_rng(0)
    refusals = 0
    for _ in range(15):
        changed = bytearray(whole)
        for place in rng.integers(0, 5000, 3):
            changed[place] = rng.integers(256)
        (folder / HEAD).write_bytes(changed)
        try:
            load_weights(folder / HEAD)
        except DataError:
            refusals += 1
    assert refusals > 7


def test_weights_that_are_not_finite(folder: Path) -> None:
    model = onnx.load(folder / HEAD)
    (bias,) = [each for each in model.graph.initializer if each.name == "bbox_pred.0.bias"]
    bias.CopyFrom(numpy_helper.from_array(np.full(4, np.nan, np.float32), bias.name))
    (folder / HEAD).write_bytes(model.SerializeToString())
    with pytest.raises(DataError, match=r"1 not finite \(ban_head\.bbox_pred\.0\.bias\)"):
        load_into(nanotrack_v2(), load_weights(folder / HEAD), HEAD)


def test_weights_in_further_files_are_not_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    model = onnx.load(HEAD)
    onnx.save(model, HEAD, save_as_external_data=True, location="further.bin", size_threshold=0)
    assert (folder / "further.bin").is_file()
    assert "not an ONNX file of its own" in refused(folder / HEAD)


def test_a_file_alone(folder: Path) -> None:
    (folder / BACKBONE).unlink()
    assert f"{folder / BACKBONE}: no such file: a network in ONNX is two files" in refused(folder / HEAD, UsageError)
    (folder / HEAD).rename(folder / "yolo.onnx")
    assert "two files: give one whose name says backbone, or head" in refused(folder / "yolo.onnx", UsageError)


def test_names_are_alike_but_for_the_part(tmp_path: Path) -> None:
    names = ("head_first/nanotrack_backbone_sim.onnx", "head_first/nanotrack_head_sim.onnx")
    (tmp_path / "head_first").mkdir()
    for name in names:
        (tmp_path / name).touch()
    for name in names:
        assert onnx_pair(tmp_path / name) == (tmp_path / names[0], tmp_path / names[1])


def test_without_the_package_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert 'needs the package onnx: pip install "cmd-tir[onnx]"' in refused(folder / HEAD, UsageError)


def other_state(**changes: Any) -> dict[str, torch.Tensor]:
    return {**nanotrack_v2().state_dict(), **changes}


@pytest.mark.parametrize(
    ("entry", "owner"),
    [
        ("ban_head.corr_pw.CA_layer.fc1.weight", "NanoTrack V1"),
        ("ban_head.down_reg.0.weight", "NanoTrack V3"),
        ("classifier.weight", "another tracker"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, entry: str, owner: str) -> None:
    path = tmp_path / "other.pth"
    torch.save({"state_dict": other_state(**{entry: torch.ones(3)})}, path)
    with pytest.raises(DataError, match=rf"other\.pth: does not fit the network: 1 unexpected .*: is it of {owner}\?"):
        load_into(nanotrack_v2(), load_weights(path), str(path))


def test_the_dead_neck_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "nanotrackv2.pth"
    torch.save(
        {
            "epoch": 3,
            "state_dict": {
                f"module.{key}": value
                for key, value in other_state(
                    **{"neck.downsample.0.weight": torch.full((64, 64, 1, 1), torch.nan)}
                ).items()
            },
        },
        path,
    )
    net = nanotrack_v2()
    load_into(net, load_weights(path), str(path))
    assert not any(name.startswith("neck") for name in net.state_dict())
