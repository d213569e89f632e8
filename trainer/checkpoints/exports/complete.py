"""What every export begins with: the network, and all of its weights in its own order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor

from pipeline.errors import DataError
from trainer.checkpoints.weights import differences, without_dead
from trainer.net import BranchedNet, build_network


def complete(state_dict: Mapping[str, Tensor], tracker: str) -> tuple[BranchedNet, OrderedDict[str, Tensor]]:
    """A network without memory for its weights, and these: all of them, on the CPU, of its types.

    Args:
        state_dict: of the network; counters of batch-norms may lack.
        tracker: a name that :func:`~trainer.net.build_network` knows.

    Raises:
        ValueError: no such tracker.
        DataError: the state dict is not that tracker's.
    """
    with torch.device("meta"):
        network = build_network(tracker)
    expected, alive = network.state_dict(), without_dead(network, state_dict)
    faults = differences(expected, alive)
    if faults:
        raise DataError(f"cannot export as {tracker}: {faults}: is it of {network.owner_of(alive)}?")
    return network, OrderedDict(
        (key, alive.get(key, torch.tensor(0)).detach().to("cpu", like.dtype).contiguous())
        for key, like in expected.items()
    )
