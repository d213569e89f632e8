"""A student written as pytracking saves its networks."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from pipeline.errors import UsageError
from pipeline.files.writing import written
from trainer.checkpoints.exports.complete import complete
from trainer.net import AtomNet, BranchedNet, DimpNet
from trainer.net.correlation import FILTER_SIZE
from trainer.recipes.geometry import geometry_of

_CONSTRUCTOR_MODULE = "ltr.admin.model_constructor"


def export_pytracking(state_dict: Mapping[str, Tensor], tracker: str, path: Path | str) -> list[Path]:
    """Write a checkpoint that pytracking's own strict loader reads.

    Args:
        state_dict: the network's, complete.
        tracker: a name that :func:`~trainer.net.build_network` knows.
        path: the file, by custom ``*.pth.tar``.

    Returns:
        The file.

    Raises:
        ValueError: no such tracker.
        DataError: the state dict is not that tracker's.
    """
    network, net = complete(state_dict, tracker)
    constructor = type("NetConstructor", (), {"__module__": _CONSTRUCTOR_MODULE})()
    net_type, arguments = _constructor(network, geometry_of(tracker).pretrain_frozen)
    vars(constructor).update(arguments)
    content = {"net_type": net_type, "net": net, "net_info": None, "constructor": constructor}
    with written(Path(path), durable=True) as partial, _importable(type(constructor)):
        torch.save(content, partial)
    return [Path(path)]


@functools.singledispatch
def _constructor(net: BranchedNet, _frozen: Sequence[str]) -> tuple[str, dict[str, object]]:
    """What pytracking calls the network, and how it makes it: its function, and keywords that differ from its defaults.

    Raises:
        UsageError: pytracking has no such network.
    """
    raise UsageError(f"pytracking has no {type(net).__name__}: use the run's own model.safetensors")


@_constructor.register
def _(_net: AtomNet, _frozen: Sequence[str]) -> tuple[str, dict[str, object]]:
    keywords: dict[str, object] = {"backbone_pretrained": False}
    return "ATOMnet", _arguments("atom_resnet18", "ltr.models.bbreg.atom", keywords)


@_constructor.register
def _(net: DimpNet, frozen: Sequence[str]) -> tuple[str, dict[str, object]]:
    keywords = {
        "filter_size": FILTER_SIZE,
        "optim_iter": 5,
        "clf_feat_norm": True,
        "clf_feat_blocks": int(net.config.residual),
        "final_conv": True,
        "out_feature_dim": net.config.channels,
        "optim_init_step": 0.9,
        "optim_init_reg": 0.1,
        "init_gauss_sigma": net.config.label_sigma,
        "num_dist_bins": 100,
        "bin_displacement": 0.1,
        "mask_init_factor": 3.0,
        "target_mask_act": "sigmoid",
        "score_act": "relu",
        "backbone_pretrained": False,
        "frozen_backbone_layers": list(frozen),
    }
    return "DiMPnet", _arguments(f"dimpnet{net.config.depth}", "ltr.models.tracking.dimpnet", keywords)


def _arguments(function: str, module: str, keywords: dict[str, object]) -> dict[str, object]:
    return {"fun_name": function, "fun_module": module, "args": (), "kwds": keywords}


@contextlib.contextmanager
def _importable(constructor: type) -> Iterator[None]:
    """Let pickle find a class under pytracking's module, which need not be installed; its writer insists on that."""
    module = ModuleType(_CONSTRUCTOR_MODULE)
    vars(module)[constructor.__name__] = constructor
    package, _, rest = _CONSTRUCTOR_MODULE.partition(".")
    parents = (package, f"{package}.{rest.partition('.')[0]}")
    stand_ins = {**{name: ModuleType(name) for name in parents}, _CONSTRUCTOR_MODULE: module}
    before = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, original in before.items():
            if original is None:
                del sys.modules[name]
            else:
                sys.modules[name] = original
