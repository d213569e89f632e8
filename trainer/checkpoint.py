"""Weights in and out: pytracking's checkpoints, torchvision's ResNets, and our own safetensors files.

A state dict that leaves :func:`load_weights` is plain: names to tensors on the CPU, no ``module.`` prefix, every
batch-norm counter present.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipeline.errors import DataError
from trainer.net import build_network
from trainer.net.base import TrackingNet
from trainer.net.correlation import FILTER_SIZE
from trainer.net.dimp import CONFIGS
from trainer.unpickle import read_pickle

_COUNTER = "num_batches_tracked"
_LISTED = 3
_CONSTRUCTOR_MODULE = "ltr.admin.model_constructor"


def load_weights(path: Path | str) -> dict[str, Tensor]:
    """The state dict in a file, whichever of the formats it has.

    Reads safetensors, and files of ``torch.save`` (today's zip, or the older stream) that hold either a state dict or a
    pytracking checkpoint with one under ``net``. Pickles are never trusted, see :mod:`trainer.unpickle`.

    Raises:
        DataError: no such file, a damaged or refused one, or no state dict in it.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such weights file")
    content = _read_safetensors(path) if _is_safetensors(path) else read_pickle(path)
    if isinstance(content, Mapping) and isinstance(content.get("net"), Mapping):
        content = content["net"]
    if not isinstance(content, Mapping) or not content:
        raise DataError(f"{path}: holds no state dict: give a state dict, or a checkpoint with 'net'")
    weights: dict[str, Tensor] = {}
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise DataError(f"{path}: entry {key!r} is no tensor: give a state dict, or a checkpoint with 'net'")
        name = key.removeprefix("module.")
        weights[name] = value.detach()
        if name.endswith(".running_var"):
            # Files older than torch 0.4.1 lack the counter; a later entry of the file overrides it in place.
            weights.setdefault(name.removesuffix("running_var") + _COUNTER, torch.tensor(0))
    return weights


def load_into(net: TrackingNet, weights: Mapping[str, Tensor], name: str) -> None:
    """Copy weights into a network of the same kind, or a bare ResNet's (torchvision's names) into its backbone.

    Args:
        net: the network.
        weights: what :func:`load_weights` returned.
        name: where the weights come from, for the message.

    Raises:
        DataError: entries are missing, unexpected, of another shape or not finite.
    """
    target = net.feature_extractor if "conv1.weight" in weights else net
    faults = _differences(target.state_dict(), weights)
    if faults:
        raise DataError(f"{name}: does not fit the network: {faults}: is it of another tracker?")
    target.load_state_dict(weights, strict=False)


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors, in one step: the file is whole or absent."""
    with written_whole(path) as partial:
        # safetensors makes files that only their owner can read: give this one the mode that any other file gets.
        partial.touch()
        mode = partial.stat().st_mode
        save_file({key: value.detach().cpu().contiguous() for key, value in weights.items()}, partial)
        partial.chmod(mode)


def export_pytracking(state_dict: Mapping[str, Tensor], tracker: str, path: Path | str) -> None:
    """Write a checkpoint that pytracking's own strict loader reads.

    Args:
        state_dict: the network's, complete.
        tracker: a name that :func:`~trainer.net.build_network` knows.
        path: the file, by custom ``*.pth.tar``.

    Raises:
        ValueError: no such tracker.
        DataError: the state dict is not that tracker's.
    """
    with torch.device("meta"):
        expected = build_network(tracker).state_dict()
    faults = _differences(expected, state_dict)
    if faults:
        raise DataError(f"cannot export as {tracker}: {faults}: is it of another tracker?")
    net = OrderedDict(
        (key, state_dict.get(key, torch.tensor(0)).detach().to("cpu", like.dtype).contiguous())
        for key, like in expected.items()
    )
    constructor = type("NetConstructor", (), {"__module__": _CONSTRUCTOR_MODULE})()
    vars(constructor).update(_constructor_arguments(tracker))
    net_type = "ATOMnet" if tracker == "atom" else "DiMPnet"
    content = {"net_type": net_type, "net": net, "net_info": None, "constructor": constructor}
    with written_whole(Path(path)) as partial, _importable(type(constructor)):
        torch.save(content, partial)


def _constructor_arguments(tracker: str) -> dict[str, object]:
    """How pytracking rebuilds the network: its function, and the keywords that differ from that function's defaults."""
    if tracker == "atom":
        keywords: dict[str, object] = {"backbone_pretrained": False}
        return {"fun_name": "atom_resnet18", "fun_module": "ltr.models.bbreg.atom", "args": (), "kwds": keywords}
    config = CONFIGS[tracker]
    keywords = {
        "filter_size": FILTER_SIZE,
        "optim_iter": 5,
        "clf_feat_norm": True,
        "clf_feat_blocks": int(config.residual),
        "final_conv": True,
        "out_feature_dim": config.channels,
        "optim_init_step": 0.9,
        "optim_init_reg": 0.1,
        "init_gauss_sigma": config.label_sigma,
        "num_dist_bins": 100,
        "bin_displacement": 0.1,
        "mask_init_factor": 3.0,
        "target_mask_act": "sigmoid",
        "score_act": "relu",
        "backbone_pretrained": False,
        "frozen_backbone_layers": ["conv1", "bn1", "layer1", "layer2"] if tracker == "superdimp" else [],
    }
    module = "ltr.models.tracking.dimpnet"
    return {"fun_name": f"dimpnet{config.depth}", "fun_module": module, "args": (), "kwds": keywords}


def _differences(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """What keeps one state dict from standing in for another, in one line; empty where nothing does."""
    common = [key for key in expected if key in given]
    found = {
        "missing": [key for key in expected if key not in given and not key.endswith(_COUNTER)],
        "unexpected": [key for key in given if key not in expected],
        "of another shape": [
            f"{key} {tuple(given[key].shape)} instead of {tuple(expected[key].shape)}"
            for key in common
            if given[key].shape != expected[key].shape
        ],
        "not finite": [key for key in common if not given[key].isfinite().all()],
    }
    return "; ".join(
        f"{len(keys)} {kind} ({', '.join(keys[:_LISTED])}{', ...' if len(keys) > _LISTED else ''})"
        for kind, keys in found.items()
        if keys
    )


def _is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: the length of a JSON header, then its brace."""
    with path.open("rb") as stream:
        head = stream.read(9)
    return len(head) == 9 and head[8:] == b"{" and 2 <= int.from_bytes(head[:8], "little") < path.stat().st_size


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        weights: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise DataError(f"{path}: damaged safetensors file ({error}): fetch it again") from None
    return weights


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path to write to; the file takes its real name once its bytes are on the disk."""
    partial = path.with_name(path.name + ".part")
    yield partial
    with partial.open("rb") as stream:
        os.fsync(stream.fileno())
    partial.replace(path)


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
