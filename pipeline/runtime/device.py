"""Which device a command runs on."""

from __future__ import annotations

import torch

from pipeline.errors import UsageError


def resolve_device(name: str, auto: str = "cuda") -> torch.device:
    """The torch device that ``--device`` means.

    Args:
        name: a device, or ``auto``.
        auto: the GPU that ``auto`` takes where there is one; else it is the CPU.

    Raises:
        UsageError: torch does not know the device, or it is not there.
    """
    if name == "auto":
        return torch.device(auto if torch.cuda.is_available() else "cpu")
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name}: not available here: use cpu, cuda or cuda:N") from error
    return torch.device(name)
