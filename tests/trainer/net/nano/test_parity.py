"""NanoTrack against outputs of its authors' network, and against numbers of a network that needs no file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.checkpoints.weights import load_weights
from trainer.net.nano import NanoNet, nanotrack_v2

from ....conftest import shared
from ..conftest import error
from .drawn import drawn_crops, drawn_network, planes

TOLERANCE = 1e-4


def outputs(net: NanoNet, template: Tensor, search: Tensor, device: torch.device) -> dict[str, Tensor]:
    net, template, search = net.to(device), template.to(device), search.to(device)
    with torch.inference_mode():
        seen, searched = net.backbone_features(template), net.backbone_features(search)
        return {
            "template_features": seen,
            "search_features": searched,
            "cls": net.classify(seen, searched),
            "box": net.distances(seen, searched),
        }


def test_the_released_network_gives_what_its_authors_give(device: torch.device) -> None:
    wanted = np.load(shared("nano/parity_public.npz"))
    net = nanotrack_v2().eval()
    weights = load_weights(shared("weights/nanotrackv2.pth"))
    net.load_state_dict({name: weights[name] for name in net.state_dict()})
    found = outputs(net, planes(wanted["template"]), planes(wanted["search"]), device)
    assert {name: error(value, wanted[name]) < TOLERANCE for name, value in found.items()} == dict.fromkeys(found, True)


NUMBERS = {
    "template_features": [-6.963799, 1.739499, -2.480821, 3.485621, -10.06522, 7.049795, -12.97531, -9.859901],
    "search_features": [-7.467739, 16.27783, -5.600693, 4.98412, -19.73499, 12.39911, -19.47421, -5.576617],
    "cls": [-0.6061752, -0.2786533, -0.1889658, -0.1604581, -0.5520931, -0.7064142, -0.6107242, -0.3008858],
    "box": [0.2132363, 0.2520215, 1.211654, 1.232496, 1.220183, 1.217938, 0.5501434, 0.6556364],
}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_drawn_network_gives_the_numbers_that_it_gave(name: str, device: torch.device) -> None:
    """They were printed by the code that gave the released network's outputs, too."""
    template, search = drawn_crops()
    found = outputs(drawn_network(), planes(template), planes(search), device)[name]
    sampled = found.flatten()[:: found.numel() // 7]
    assert error(sampled, NUMBERS[name]) < TOLERANCE
