"""A student written as NanoTrack's authors save their networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pipeline.files.writing import written
from trainer.checkpoints.exports.complete import complete


def export_pytorch(state_dict: Mapping[str, Tensor], tracker: str, path: Path) -> list[Path]:
    """Write a checkpoint that the authors' code loads: the network under ``state_dict``, without its dead neck.

    Args:
        state_dict: the network's, complete.
        tracker: its name.
        path: the file, by custom ``*.pth``.

    Returns:
        The file.

    Raises:
        DataError: the state dict is not that tracker's.
    """
    _, weights = complete(state_dict, tracker)
    with written(path, durable=True) as partial:
        torch.save({"state_dict": weights}, partial)
    return [path]
