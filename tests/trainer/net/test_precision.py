"""Mixed precision and compilation leave the numbers alone."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from trainer.net import DimpNet, build_network
from trainer.net.correlation import correlate
from trainer.net.prroi import pool_boxes

from .conftest import noise

BOXES = torch.tensor([[[12.0, 16.0, 28.0, 24.0], [20.0, 14.0, 26.0, 32.0]]])
PLACES = BOXES[:, :, None] + torch.tensor([[0.0, 0, 0, 0], [5, -3, 4, 2], [-30, 8, 3, 9]])


@pytest.fixture(scope="module")
def net() -> DimpNet:
    torch.manual_seed(0)
    return build_network("dimp18").eval()


def images(name: str) -> Tensor:
    return noise(name, 1, 2, 3, 64, 64).float()


def outputs(
    run: Callable[..., tuple[Tensor, Tensor]], device: str | torch.device = "cpu"
) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, box scores and the gradient of the latter in the proposals."""
    places = PLACES.to(device).requires_grad_()
    scores, iou = run(*(each.to(device) for each in (images("train"), images("test"), BOXES)), places)
    return scores.detach(), iou.detach(), torch.autograd.grad(iou.float().sum(), places)[0]


def likeness(a: Tensor, b: Tensor) -> float:
    return torch.cosine_similarity(a.flatten().float(), b.flatten().float(), dim=0).item()


def test_bfloat16_autocast(net: DimpNet, device: torch.device) -> None:
    net = copy.deepcopy(net).to(device)
    exact = outputs(net, device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        rough = outputs(net, device)
    for a, b in zip(exact, rough, strict=True):
        assert b.isfinite().all()
        assert not torch.equal(a, b)
        assert likeness(a, b) > 0.99
    assert rough[0].dtype == rough[1].dtype == torch.float32


def test_autocast_does_not_narrow_pooling_or_the_filter_optimizer(net: DimpNet) -> None:
    maps = noise("maps", 2, 256, 6, 6).float()
    exact = net.classifier.optimize_filter(noise("filter", 2, 256, 4, 4).float(), maps, BOXES, iterations=3)
    pooled, scores = pool_boxes(maps, BOXES[0, :, None], (5, 5), 1 / 16), net.classify(exact.filter, maps)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        same = net.classifier.optimize_filter(noise("filter", 2, 256, 4, 4).float(), maps, BOXES, iterations=3)
        assert torch.equal(pool_boxes(maps, BOXES[0, :, None], (5, 5), 1 / 16), pooled)
        assert torch.equal(net.classify(exact.filter, maps), scores)
        narrowed = correlate(maps[None], exact.filter[None])
    assert torch.equal(same.filters, exact.filters)
    assert narrowed.dtype == torch.bfloat16


def test_training_under_autocast_gives_finite_gradients_to_all(net: DimpNet) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores, iou = net(images("train"), images("test"), BOXES, PLACES)
        loss = scores.square().mean() + iou.square().mean()
    trained = {name: p for name, p in net.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(loss, list(trained.values()))
    for name, gradient in zip(trained, gradients, strict=True):
        assert gradient.isfinite().all(), name


def alike(exact: tuple[Tensor, ...], compiled: tuple[Tensor, ...]) -> None:
    for a, b in zip(exact, compiled, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-3, atol=1e-4 * a.abs().max().item())


@pytest.mark.slow
def test_the_whole_network_is_one_graph(net: DimpNet) -> None:
    torch._dynamo.reset()
    alike(outputs(net), outputs(torch.compile(net, fullgraph=True, backend="eager")))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_heads_compiled(net: DimpNet) -> None:
    with torch.no_grad():
        features = net.backbone_features(images("train").flatten(0, 1))

    def heads(*inputs: Tensor) -> tuple[Tensor, Tensor]:
        _, _, boxes, places = inputs
        maps = net.classification_features(features)
        found = net.predict_filter(maps, boxes, iterations=1)
        modulation = net.reference_modulation(features, boxes)
        return net.classify(found.filter, maps), net.predict_iou(modulation, features, places)

    torch._dynamo.reset()
    alike(outputs(heads), outputs(torch.compile(heads, fullgraph=True)))
