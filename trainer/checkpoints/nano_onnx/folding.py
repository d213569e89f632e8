"""Batch-norms folded into the layers before them, and set so that they leave what is folded already as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn

Layer = nn.Conv2d | nn.Linear
_EPS = 1e-5
"""torch's, which NanoTrack keeps."""


def layers(net: nn.Module) -> Iterator[tuple[str, Layer, str | None]]:
    """Every layer with weights: its name, itself, and the name of the batch-norm right after it, None where none is."""
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            parent, _, place = name.rpartition(".")
            after = str(int(place) + 1) if place.isdecimal() else ""
            norm = net.get_submodule(parent)._modules.get(after)
            yield name, module, f"{parent}.{after}" if isinstance(norm, nn.BatchNorm2d) else None


def folded(layer: Layer, norm: nn.Module | None) -> tuple[Tensor, Tensor | None]:
    """Weight and bias of one layer that does what a layer and a batch-norm in eval mode do, on the CPU.

    Reckoned in float64 and rounded once: equal weights give equal bits on every machine.
    """
    weight, bias = layer.weight.detach().cpu(), None if layer.bias is None else layer.bias.detach().cpu()
    if norm is None:
        return weight, bias
    entries = {name: value.detach().cpu().double() for name, value in norm.state_dict().items()}
    scale = entries["weight"] / torch.sqrt(entries["running_var"] + cast(nn.BatchNorm2d, norm).eps)
    shift = -entries["running_mean"] if bias is None else bias.double() - entries["running_mean"]
    wide = weight.double() * scale.view(-1, *[1] * (weight.ndim - 1))
    return wide.float(), (shift * scale + entries["bias"]).float()


def spent(channels: int, bias: Tensor | None) -> dict[str, Tensor]:
    """The entries of a batch-norm after a layer that it is folded into: it adds the bias, and nothing without one.

    Its variance and eps make 1, so that folding it once more changes no bit.
    """
    return {
        "weight": torch.ones(channels),
        "bias": torch.zeros(channels) if bias is None else bias,
        "running_mean": torch.zeros(channels),
        "running_var": torch.full((channels,), 1 - _EPS),
        "num_batches_tracked": torch.tensor(0),
    }
