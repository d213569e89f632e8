"""NanoTrack's two ONNX files: what is written is what the network does, and what is read does what the files do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.checkpoints.nano_onnx import BACKBONE, HEAD, backbone_graph, head_graph
from trainer.checkpoints.weights import load_into, load_weights
from trainer.net.nano import NanoNet, nanotrack_v2
from trainer.net.nano.grid import TEMPLATE_SIZE

from ....conftest import shared
from ...net.conftest import error
from ...net.nano.drawn import drawn_crops, drawn_network, planes

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def net() -> NanoNet:
    return drawn_network()


@pytest.fixture(scope="module")
def folder(net: NanoNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("exported")
    (made / BACKBONE).write_bytes(backbone_graph(net))
    (made / HEAD).write_bytes(head_graph(net))
    return made


def run(graph: bytes | Path, **inputs: Tensor) -> list[NDArray[np.float32]]:
    source = graph if isinstance(graph, bytes) else str(graph)
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == list(inputs)
    return session.run(None, {name: value.numpy() for name, value in inputs.items()})


def test_onnxruntime_gives_what_torch_gives(net: NanoNet, folder: Path) -> None:
    template, search = (planes(crops) for crops in drawn_crops())
    with torch.inference_mode():
        seen, searched = net.backbone_features(template), net.backbone_features(search)
        logits, distances = net.classify(seen, searched), net.distances(seen, searched)
    (found,) = run(folder / BACKBONE, input=search)
    assert error(found, searched) < TOLERANCE
    (found,) = run(backbone_graph(net, TEMPLATE_SIZE), input=template)
    assert error(found, seen) < TOLERANCE
    first, second = run(folder / HEAD, input1=seen, input2=searched)
    assert error(first, logits) < TOLERANCE
    assert error(second, distances) < TOLERANCE


def test_names_shapes_and_versions_are_those_of_the_released_files(folder: Path) -> None:
    import onnx

    def told(path: Path) -> tuple[object, ...]:
        model = onnx.load(path)
        sides = [*model.graph.input, *model.graph.output]
        shapes = [(side.name, [each.dim_value for each in side.type.tensor_type.shape.dim]) for side in sides]
        return shapes, [each.version for each in model.opset_import], model.ir_version

    for own, name in ((BACKBONE, "backbone"), (HEAD, "head")):
        assert told(folder / own) == told(shared(f"weights/nanotrackv2_nanotrack_{name}_sim.onnx"))


def test_no_batch_norm_is_left(folder: Path) -> None:
    import onnx

    operators = {node.op_type for name in (BACKBONE, HEAD) for node in onnx.load(folder / name).graph.node}
    assert "BatchNormalization" not in operators


@pytest.mark.parametrize("name", [BACKBONE, HEAD])
def test_either_file_names_both(net: NanoNet, folder: Path, name: str) -> None:
    again = nanotrack_v2().eval()
    load_into(again, load_weights(folder / name), name)
    with torch.inference_mode():
        for found, wanted in zip(again(*map(planes, drawn_crops())), net(*map(planes, drawn_crops()))):
            assert error(found, wanted) < TOLERANCE


def test_what_is_read_is_written_again_bit_for_bit(folder: Path) -> None:
    again = nanotrack_v2().eval()
    load_into(again, load_weights(folder / HEAD), HEAD)
    assert backbone_graph(again) == (folder / BACKBONE).read_bytes()
    assert head_graph(again) == (folder / HEAD).read_bytes()


def test_the_released_files_hold_the_network_of_the_released_checkpoint() -> None:
    wanted = np.load(shared("nano/parity_public.npz"))
    net = nanotrack_v2().eval()
    load_into(net, load_weights(shared("weights/nanotrackv2_nanotrack_head_sim.onnx")), "head")
    with torch.inference_mode():
        logits, distances = net(planes(wanted["template"]), planes(wanted["search"]))
    assert error(logits, wanted["cls"]) < TOLERANCE
    assert error(distances, wanted["box"]) < TOLERANCE


def test_an_export_of_the_released_checkpoint_is_the_released_head() -> None:
    path = shared("weights/nanotrackv2_nanotrack_head_sim.onnx")
    net = nanotrack_v2().eval()
    load_into(net, load_weights(shared("weights/nanotrackv2.pth")), "nanotrackv2.pth")
    generator = torch.Generator().manual_seed(1)
    inputs = {f"input{k}": 4 * torch.randn(1, 48, cells, cells, generator=generator) for k, cells in ((1, 8), (2, 16))}
    for found, wanted in zip(run(head_graph(net), **inputs), run(path, **inputs)):
        assert error(found, wanted) < 1e-5
