"""Where mixed precision stops: sums of squares, step lengths and box gradients need more than eight bits."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)
Precision = Literal["float32", "bf16"]
"""What modules that do not learn compute in; what they give is float32 whatever it is."""


class Narrow(nn.Module):
    """A module that computes in another type between float32 and float32.

    Args:
        inner: what computes, of a tensor to a tensor or to several by name; its weights are rounded, in place.
        kind: the type.
    """

    def __init__(self, inner: nn.Module, kind: torch.dtype) -> None:
        super().__init__()
        self.inner, self.kind = inner.to(kind), kind

    def forward(self, x: Tensor) -> Any:
        """What the module gives, in float32."""
        made = self.inner(x.to(self.kind))
        return made.float() if isinstance(made, Tensor) else {name: maps.float() for name, maps in made.items()}


def narrow(net: nn.Module, names: Iterable[str], kind: torch.dtype) -> None:
    """Let modules of a network compute in a type, in place.

    Args:
        net: in eval mode, not trained any more.
        names: of the modules.
        kind: the type; float32 changes nothing.
    """
    if kind != torch.float32:
        for name in names:
            net.set_submodule(name, Narrow(net.get_submodule(name), kind))


def precision_of(name: Precision, device: torch.device) -> torch.dtype:
    """The type that a precision means; where it costs time instead of saving it, that is said.

    Args:
        name: of the precision.
        device: where it is computed.
    """
    if name == "float32":
        return torch.float32
    if not _multiplies_bf16(device):
        log.warning("--precision bf16: %s has no instructions for it, and float32 is faster", device.type)
    return torch.bfloat16


def _multiplies_bf16(device: torch.device) -> bool:
    """Whether a device multiplies in bfloat16 rather than widening first; of other devices it is believed."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    able = torch.cpu.get_capabilities() if device.type == "cpu" else {"bf16": True}
    return any(has for name, has in able.items() if name.endswith("bf16"))


def full_precision(like: Tensor) -> torch.autocast:
    """A context on the device of ``like`` in which autocast does not narrow matrix products or convolutions."""
    return torch.autocast(like.device.type, enabled=False)


def widened(tensor: Tensor) -> Tensor:
    """The tensor in float32, or in its own type if that is wider."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
