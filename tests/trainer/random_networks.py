"""Networks with random weights, which take longer to draw than to copy."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from trainer.net import BranchedNet, build_network

KEPT = 3
"""Networks that are kept: the largest has 170 MB."""
_DRAWN: dict[tuple[str, bytes], tuple[BranchedNet, Tensor]] = {}


def drawn_once(name: str) -> BranchedNet:
    """What ``build_network`` gives for the state of torch's generator, and leaves of that, to the bit."""
    key = name, torch.get_rng_state().numpy().tobytes()
    if key not in _DRAWN:
        while len(_DRAWN) >= KEPT:
            del _DRAWN[next(iter(_DRAWN))]
        _DRAWN[key] = build_network(name), torch.get_rng_state()
    net, after = _DRAWN[key]
    torch.set_rng_state(after)
    return copy.deepcopy(net)
