"""Which device a command runs on."""

from __future__ import annotations

import torch

from pipeline.errors import UsageError


def resolve_device(name: str) -> torch.device:
    """The torch device that ``--device`` means, with torch set up for it in this process.

    On a GPU float32 is float32: torch lets cuDNN round a convolution's factors to the ten bits of TF32 unless it is
    told not to. And the GPU is torch's current one, where what asks for none by name goes, as pinned memory does.

    Args:
        name: a device, or ``auto``: the first GPU where there is one, else the CPU.

    Raises:
        UsageError: torch does not know the device, or it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name}: not available here: use cpu, cuda or cuda:N") from error
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        torch.cuda.set_device(device)
    return device
