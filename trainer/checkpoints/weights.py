"""Weights in and out: pytracking's and NanoTrack's checkpoints, torchvision's ResNets, ONNX, our own safetensors files.

A state dict that leaves :func:`load_weights` is plain: names to tensors on the CPU, no ``module.`` or ``_orig_mod.``,
every batch-norm counter present.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipeline.errors import DataError
from pipeline.files.writing import written
from trainer.base_trackers import BASE_TRACKERS
from trainer.checkpoints.nano_onnx import is_onnx, onnx_pair, read_onnx_pair
from trainer.checkpoints.unpickle import read_pickle
from trainer.net import build_network
from trainer.net.base import BranchedNet

_COUNTER = "num_batches_tracked"
_LISTED = 3
_HELD_UNDER = ("net", "state_dict")
"""Where checkpoints have the network."""
_CHECKPOINT = " or ".join(f"a checkpoint with {key!r}" for key in _HELD_UNDER)


def load_weights(path: Path | str) -> dict[str, Tensor]:
    """The state dict in a file, whichever of the formats it has.

    Reads safetensors, files of ``torch.save`` (today's zip, or the older stream) that hold either a state dict or a
    checkpoint with one under ``net`` (pytracking) or ``state_dict``, and NanoTrack's two ONNX files, by the name of
    either. Pickles are never trusted, see :mod:`trainer.checkpoints.unpickle`.

    Raises:
        DataError: no such file, a damaged or refused one, or no state dict in it.
        UsageError: of ONNX files one is missing, or the package ``onnx`` is.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such weights file")
    if is_onnx(path):
        return read_onnx_pair(onnx_pair(path))
    content = _read_safetensors(path) if _is_safetensors(path) else read_pickle(path)
    if isinstance(content, Mapping):
        content = next((content[key] for key in _HELD_UNDER if isinstance(content.get(key), Mapping)), content)
    if not isinstance(content, Mapping) or not content:
        raise DataError(f"{path}: holds no state dict: give a state dict, {_CHECKPOINT}")
    weights: dict[str, Tensor] = {}
    plain: dict[str, str] = {}
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise DataError(f"{path}: entry {key!r} is no tensor: give a state dict, {_CHECKPOINT}")
        name = _unwrapped(key)
        if name in plain:
            raise DataError(f"{path}: entries {plain[name]} and {key} are both {name}: save the state of one network")
        plain[name] = key
        weights[name] = value.detach()
        if name.endswith(".running_var"):
            # Files older than torch 0.4.1 lack the counter; a later entry of the file overrides it in place.
            weights.setdefault(name.removesuffix("running_var") + _COUNTER, torch.tensor(0))
    return weights


def _unwrapped(key: str) -> str:
    """A key without what torch's wrappers add: ``_orig_mod.`` (compile, of any part), ``module.`` (data parallel)."""
    return ".".join(part for part in key.split(".") if part != "_orig_mod").removeprefix("module.")


def load_into(net: BranchedNet, weights: Mapping[str, Tensor], name: str) -> None:
    """Copy weights into a network of the same kind, or a bare ResNet's (torchvision's names) into its backbone.

    Args:
        net: the network.
        weights: what :func:`load_weights` returned.
        name: where the weights come from, for the message.

    Raises:
        DataError: entries are missing, unexpected, of another shape or not finite.
    """
    target = net.trunk if is_resnet(weights) else net
    alive = without_dead(net, weights)
    faults = differences(target.state_dict(), alive)
    if faults:
        fit = trackers_of(weights)
        cure = f"it fits {' or '.join(fit)}: give --tracker {fit[0]}" if fit else f"is it of {net.owner_of(alive)}?"
        raise DataError(f"{name}: does not fit the network: {faults}: {cure}")
    target.load_state_dict(alive, strict=False)


def is_resnet(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are a bare ResNet's, in torchvision's names: a backbone without a tracker's heads."""
    return "conv1.weight" in weights


def trackers_of(weights: Mapping[str, Tensor]) -> list[str]:
    """The base trackers whose networks take such weights, for messages: by names and shapes, nothing is drawn."""
    found = []
    for name in BASE_TRACKERS:
        with torch.device("meta"):
            net = build_network(name)
        target = net.trunk if is_resnet(weights) else net
        if not differences(target.state_dict(), without_dead(net, weights)):
            found.append(name)
    return found


def without_dead(net: BranchedNet, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of a state dict runs: without what a network's released files hold beside it."""
    return {key: value for key, value in weights.items() if not key.startswith(net.dead)}


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors, in one step: the file is whole or absent."""
    with written(path, durable=True) as partial:
        # safetensors makes files that only their owner can read: give this one the mode that any other file gets.
        partial.touch()
        mode = partial.stat().st_mode
        save_file({key: value.detach().cpu().contiguous() for key, value in weights.items()}, partial)
        partial.chmod(mode)


def digest(weights: Mapping[str, Tensor]) -> str:
    """A hash over named tensors, in the order of their names."""
    total = hashlib.sha256()
    for name, value in sorted(weights.items()):
        total.update(name.encode())
        total.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def differences(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """What keeps one state dict from standing in for another, in one line; empty where nothing does."""
    common = [key for key in expected if key in given]
    faults = {
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
        for kind, keys in faults.items()
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
