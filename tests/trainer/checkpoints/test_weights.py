"""Weights in and out, whatever the file: pytracking's, torchvision's, our own."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.errors import DataError
from trainer.checkpoints.exports.pytracking import export_pytracking
from trainer.checkpoints.weights import load_into, load_weights, save_weights
from trainer.net import build_network
from trainer.net.backbone import ResNet
from trainer.net.base import TrackingNet

STATE = {
    "conv.weight": torch.arange(6.0).view(2, 3),
    "bn.weight": torch.ones(2),
    "bn.running_mean": torch.zeros(2),
    "bn.running_var": torch.full((2,), 3.0),
    "bn.num_batches_tracked": torch.tensor(7),
}


@pytest.fixture(scope="module")
def atom() -> TrackingNet:
    torch.manual_seed(0)
    return build_network("atom")


@pytest.fixture(params=["ltr.admin", "dlframework.common.utils"])
def bookkeeping(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, type]]:
    """pytracking's five classes, importable while a test writes a file."""
    classes: dict[str, type] = {}
    parents = [request.param.rsplit(".", k)[0] for k in range(request.param.count(".") + 1)]
    for name in parents:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    for module_name, names in {
        "model_constructor": ["NetConstructor"],
        "settings": ["Settings"],
        "local": ["EnvironmentSettings"],
        "stats": ["AverageMeter", "StatValue"],
    }.items():
        module = ModuleType(f"{request.param}.{module_name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        for name in names:
            classes[name] = type(name, (), {"__module__": module.__name__})
            setattr(module, name, classes[name])
    yield classes


def filled(cls: type, **attributes: Any) -> Any:
    instance = cls()
    vars(instance).update(attributes)
    return instance


def checkpoint(classes: dict[str, type], state: dict[str, Tensor]) -> dict[str, Any]:
    """A training checkpoint with everything that pytracking's trainer puts in one."""
    environment = filled(classes["EnvironmentSettings"], workspace_dir="/home/somebody")
    keywords = {"filter_size": 4, "frozen_backbone_layers": ()}
    parameter = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([parameter])
    parameter.sum().backward()
    optimizer.step()
    meter = filled(classes["AverageMeter"], history=[0.5], sum=1.0, count=2)
    return {
        "epoch": 50,
        "actor_type": "DiMPActor",
        "net_type": "DiMPnet",
        "net": OrderedDict(state),
        "net_info": None,
        "constructor": filled(classes["NetConstructor"], fun_name="dimpnet50", args=(), kwds=keywords),
        "optimizer": optimizer.state_dict(),
        "stats": OrderedDict(train=OrderedDict(loss=meter, rate=filled(classes["StatValue"], val=0.1))),
        "settings": filled(classes["Settings"], env=environment, batch_size=10),
    }


def same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return list(found) == list(wanted) and all(
        found[key].dtype == wanted[key].dtype and torch.equal(found[key], wanted[key]) for key in wanted
    )


@pytest.mark.parametrize("zipped", [True, False])
def test_pytracking_checkpoints(tmp_path: Path, bookkeeping: dict[str, type], zipped: bool) -> None:
    path = tmp_path / "DiMPnet_ep0050.pth.tar"
    torch.save(checkpoint(bookkeeping, STATE), path, _use_new_zipfile_serialization=zipped)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("ltr", "dlframework")]:
        del sys.modules[name]
    assert same(load_weights(path), STATE)


@pytest.mark.parametrize("zipped", [True, False])
def test_bare_state_dicts_with_a_module_prefix(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "parallel.pth"
    state = {f"module.{key}": value for key, value in STATE.items()}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    assert same(load_weights(str(path)), STATE)


@pytest.mark.parametrize(
    "wrapped",
    ["_orig_mod.{}", "module._orig_mod.{}", "_orig_mod.module.{}", "module.{0}", "{1}._orig_mod.{2}"],
)
def test_state_dicts_of_compiled_and_parallel_networks(tmp_path: Path, wrapped: str) -> None:
    state = {wrapped.format(key, *key.split(".", 1)): value for key, value in STATE.items()}
    torch.save({"net": state}, tmp_path / "compiled.pth")
    assert same(load_weights(tmp_path / "compiled.pth"), STATE)
    save_weights(state, tmp_path / "compiled.safetensors")
    assert load_weights(tmp_path / "compiled.safetensors").keys() == STATE.keys()


def test_entries_that_would_take_one_another_s_place_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2), "_orig_mod.weight": torch.zeros(2)}, tmp_path / "two.pth")
    with pytest.raises(DataError, match=r"two\.pth: entries weight and _orig_mod\.weight are both weight"):
        load_weights(tmp_path / "two.pth")


def test_files_from_before_batches_were_counted(tmp_path: Path, atom: TrackingNet) -> None:
    state = {key: value for key, value in STATE.items() if "num_batches" not in key}
    torch.save(state, tmp_path / "old.pth")
    assert same(load_weights(tmp_path / "old.pth"), {**STATE, "bn.num_batches_tracked": torch.tensor(0)})
    uncounted = OrderedDict((key, value) for key, value in atom.state_dict().items() if "num_batches" not in key)
    uncounted._metadata = atom.state_dict()._metadata  # type: ignore[attr-defined]
    load_into(atom, uncounted, "old.pth")


def test_parameters_become_plain_tensors(tmp_path: Path) -> None:
    torch.save({"weight": nn.Parameter(torch.ones(2))}, tmp_path / "parameters.pth")
    (weight,) = load_weights(tmp_path / "parameters.pth").values()
    assert type(weight) is torch.Tensor
    assert not weight.requires_grad


def test_our_own_files_come_back(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    turned = {**STATE, "conv.weight": STATE["conv.weight"].t()}
    save_weights(turned, path)
    found = load_weights(path)
    assert set(found) == set(turned)
    assert all(torch.equal(found[key], turned[key]) for key in turned)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_weights(STATE, path)
    with pytest.raises(RuntimeError):
        save_weights({"weight": torch.zeros(3, device="meta")}, path)
    assert set(load_weights(path)) == set(STATE)


def test_torchvision_weights_go_into_the_backbone(tmp_path: Path, atom: TrackingNet) -> None:
    torch.manual_seed(1)
    resnet = ResNet(18).state_dict()
    torch.save(OrderedDict(resnet), tmp_path / "resnet18.pth")
    before = {key: value.clone() for key, value in atom.bb_regressor.state_dict().items()}
    load_into(atom, load_weights(tmp_path / "resnet18.pth"), "resnet18.pth")
    assert same(atom.feature_extractor.state_dict(), resnet)
    with pytest.raises(DataError, match=r"r18\.pth: does not fit .*: it fits dimp18 or atom: give --tracker dimp18$"):
        load_into(build_network("dimp50"), resnet, "r18.pth")
    with pytest.raises(DataError, match=r"it fits atom: give --tracker atom$"):
        load_into(build_network("dimp18"), atom.state_dict(), "atom.pth")
    assert same(atom.bb_regressor.state_dict(), before)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bb_regressor.iou_predictor.bias": None}, "1 missing (bb_regressor.iou_predictor.bias)"),
        ({"classifier.x": torch.ones(1)}, "1 unexpected (classifier.x)"),
        (
            {"bb_regressor.iou_predictor.bias": torch.ones(2)},
            "1 of another shape (bb_regressor.iou_predictor.bias (2,) instead of (1,))",
        ),
        (
            {"bb_regressor.iou_predictor.bias": torch.tensor([torch.nan])},
            "1 not finite (bb_regressor.iou_predictor.bias)",
        ),
        ({f"x{k}": torch.ones(1) for k in range(5)}, "5 unexpected (x0, x1, x2, ...)"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line_and_not_loaded(
    atom: TrackingNet, change: dict[str, Tensor | None], told: str
) -> None:
    state = {key: torch.full_like(value, 9) for key, value in atom.state_dict().items()} | change
    with pytest.raises(DataError) as caught:
        load_into(atom, {key: value for key, value in state.items() if value is not None}, "run/model.safetensors")
    message = str(caught.value)
    assert message.startswith("run/model.safetensors: ")
    assert told in message
    assert "\n" not in message
    assert not atom.bb_regressor.iou_predictor.weight.eq(9).any()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([torch.ones(1)], "holds no state dict"),
        ({}, "holds no state dict"),
        ({"net": {}}, "holds no state dict"),
        ({"epoch": 3, "weights": torch.ones(1)}, "entry 'epoch' is no tensor"),
        ({3: torch.ones(1)}, "entry 3 is no tensor"),
    ],
)
def test_files_without_a_state_dict(tmp_path: Path, content: object, told: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(DataError, match=f"other.pth.*{told}"):
        load_weights(tmp_path / "other.pth")


def test_absent_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.pth: no such weights file"):
        load_weights(tmp_path / "nothing.pth")
    save_weights(STATE, tmp_path / "cut.safetensors")
    whole = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-3])
    with pytest.raises(DataError, match=r"cut\.safetensors: damaged"):
        load_weights(tmp_path / "cut.safetensors")


def read_as_pytracking(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What an installed pytracking unpickles: its own class under its own module."""
    module = ModuleType("ltr.admin.model_constructor")
    module.NetConstructor = type("NetConstructor", (), {"__module__": module.__name__})  # type: ignore[attr-defined]
    for stand_in in (ModuleType("ltr"), ModuleType("ltr.admin"), module):
        monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    content: dict[str, Any] = torch.load(path, weights_only=False)
    assert type(content["constructor"]) is module.NetConstructor
    return content


def test_export_is_what_pytracking_reads(tmp_path: Path, atom: TrackingNet, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cmd_atom.pth.tar"
    state = {key: value.double() if value.is_floating_point() else value for key, value in atom.state_dict().items()}
    uncounted = {key: value for key, value in reversed(state.items()) if "num_batches" not in key}
    export_pytracking(uncounted, "atom", path)
    assert not [name for name in sys.modules if name.partition(".")[0] == "ltr"]
    content = read_as_pytracking(path, monkeypatch)
    assert content["net_type"] == "ATOMnet"
    assert content["net_info"] is None
    assert vars(content["constructor"]) == {
        "fun_name": "atom_resnet18",
        "fun_module": "ltr.models.bbreg.atom",
        "args": (),
        "kwds": {"backbone_pretrained": False},
    }
    build_network("atom").load_state_dict(content["net"], strict=True)
    assert same(content["net"], dict(atom.state_dict()))
    assert same(load_weights(path), dict(atom.state_dict()))


@pytest.mark.parametrize("tracker", ["dimp18", "superdimp"])
def test_export_names_the_constructor_of_the_tracker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracker: str
) -> None:
    net = build_network(tracker)
    export_pytracking(net.state_dict(), tracker, tmp_path / "cmd.pth.tar")
    constructor = read_as_pytracking(tmp_path / "cmd.pth.tar", monkeypatch)["constructor"]
    assert constructor.fun_name == {"dimp18": "dimpnet18", "superdimp": "dimpnet50"}[tracker]
    assert constructor.fun_module == "ltr.models.tracking.dimpnet"
    wanted = {
        "dimp18": {"clf_feat_blocks": 1, "out_feature_dim": 256, "init_gauss_sigma": 0.9, "filter_size": 4},
        "superdimp": {"clf_feat_blocks": 0, "out_feature_dim": 512, "init_gauss_sigma": 0.25 / 6 * 22, "optim_iter": 5},
    }[tracker]
    assert wanted.items() <= constructor.kwds.items()
    frozen = {"dimp18": [], "superdimp": ["conv1", "bn1", "layer1", "layer2"]}[tracker]
    assert constructor.kwds["frozen_backbone_layers"] == frozen


def test_export_leaves_an_installed_package_alone(
    tmp_path: Path, atom: TrackingNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = ModuleType("ltr")
    monkeypatch.setitem(sys.modules, "ltr", installed)
    monkeypatch.setattr(torch, "save", lambda content, path: Path(path).touch())
    export_pytracking(atom.state_dict(), "atom", tmp_path / "cmd.pth.tar")
    assert sys.modules["ltr"] is installed
    assert "ltr.admin" not in sys.modules


def test_export_refuses_another_trackers_weights(tmp_path: Path, atom: TrackingNet) -> None:
    with pytest.raises(DataError, match="cannot export as dimp18: 18 missing"):
        export_pytracking(atom.state_dict(), "dimp18", tmp_path / "cmd.pth.tar")
    with pytest.raises(ValueError, match="unknown tracker"):
        export_pytracking(atom.state_dict(), "dimp", tmp_path / "cmd.pth.tar")
    assert not list(tmp_path.iterdir())
