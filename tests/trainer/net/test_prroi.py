"""PrRoIPool: exact in value, in the gradient of the map and in the gradient of the box."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainer.net.prroi import BoxPooling, pool_boxes, prroi_pool

from .conftest import Case, error, noise

SCALE = 1 / 8


def dense_mean(plane: np.ndarray, box: tuple[float, float, float, float], bins: tuple[int, int]) -> np.ndarray:
    """Bin means by sampling the interpolated plane densely at cell midpoints, corners in cells."""
    samples = 400
    x0, y0, x1, y1 = box
    h, w = plane.shape
    ys = y0 + (np.arange(bins[0] * samples) + 0.5) * (y1 - y0) / (bins[0] * samples)
    xs = x0 + (np.arange(bins[1] * samples) + 0.5) * (x1 - x0) / (bins[1] * samples)
    rows = np.maximum(0, 1 - np.abs(ys[:, None] - np.arange(h)))
    columns = np.maximum(0, 1 - np.abs(xs[:, None] - np.arange(w)))
    dense = rows @ plane @ columns.T
    return dense.reshape(bins[0], samples, bins[1], samples).mean(axis=(1, 3))


coordinate = st.floats(-40, 100, width=32)
extent = st.floats(1, 120, width=32)


@settings(max_examples=40, deadline=None)
@given(x=coordinate, y=coordinate, w=extent, h=extent, bins=st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_equals_dense_integration_wherever_the_box_lies(
    x: float, y: float, w: float, h: float, bins: tuple[int, int]
) -> None:
    plane = noise("plane", 1, 1, 7, 9)
    pooled = pool_boxes(plane, torch.tensor([[[x, y, w, h]]], dtype=torch.float64), bins, SCALE)
    box = (x * SCALE, y * SCALE, (x + w) * SCALE, (y + h) * SCALE)
    np.testing.assert_allclose(pooled[0, 0, 0], dense_mean(plane[0, 0].numpy(), box, bins), atol=2e-4)


@settings(max_examples=8, deadline=None)
@given(x=coordinate, y=coordinate, w=extent, h=extent)
def test_gradients_are_exact(x: float, y: float, w: float, h: float) -> None:
    boxes = torch.tensor([[[x, y, w, h]]], dtype=torch.float64)
    # Second derivatives jump where an edge meets a cell: finite differences must not straddle one.
    corners = torch.cat([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], dim=-1) * SCALE
    edges = torch.cat([corners[..., :2] + (corners[..., 2:] - corners[..., :2]) * k / 2 for k in range(3)])
    boxes = boxes + (0.01 if (edges - edges.round()).abs().min() < 1e-5 else 0)
    plane = noise("plane", 1, 2, 7, 9).requires_grad_()
    torch.autograd.gradcheck(
        lambda maps, xywh: pool_boxes(maps, xywh, (2, 2), SCALE), (plane, boxes.requires_grad_()), eps=1e-6, atol=1e-5
    )


corner = st.one_of(coordinate, st.sampled_from([-16.0, -8.0, 0.0, 8.0, 48.0, 56.0, 72.0, 80.0]))
side = st.one_of(st.floats(0.5, 120, width=32), st.sampled_from([8.0, 40.0, 0.0, -4.0]))


@settings(max_examples=60, deadline=None)
@given(boxes=st.lists(st.tuples(corner, corner, side, side), min_size=2, max_size=2), bins=st.integers(1, 5))
def test_the_closed_form_is_autograd_s(boxes: list[tuple[float, ...]], bins: int) -> None:
    """Also for boxes on cells, over the border, beside the map, and without extent."""
    plane, places = noise("plane", 2, 3, 7, 9), torch.tensor(boxes, dtype=torch.float64)[:, None].requires_grad_()
    pooled = pool_boxes(plane, places, (bins, bins), SCALE)
    weights = noise("weights", *pooled.shape)
    (wanted,) = torch.autograd.grad(pooled, places, weights)
    closed = BoxPooling(plane.permute(0, 2, 3, 1), places.detach() * SCALE, bins)
    torch.testing.assert_close(closed.pooled.permute(0, 1, 4, 2, 3), pooled)
    slopes = closed.slopes(weights.permute(0, 1, 3, 4, 2)) * SCALE
    torch.testing.assert_close(slopes, wanted, rtol=1e-9, atol=1e-9)
    assert wanted.abs().amax() > 0 or not pooled.any()


@pytest.mark.parametrize("roi", [(24, 8, 24, 40), (32, 8, 24, 40), (8, 30, 40, 30), (200, 8, 240, 40)])
def test_without_area_or_overlap_everything_is_zero(roi: tuple[float, ...]) -> None:
    features = noise("plane", 1, 2, 7, 9).requires_grad_()
    rois = torch.tensor([[0, *roi]], dtype=torch.float64, requires_grad=True)
    pooled = prroi_pool(features, rois, (3, 3), SCALE)
    pooled.sum().backward()
    for value in (pooled, features.grad, rois.grad):
        assert value is not None
        assert not value.any()


def test_rois_choose_their_images() -> None:
    features, boxes = noise("maps", 3, 2, 6, 6), torch.tensor([[4.0, 4, 20, 30], [0, 8, 16, 16]])
    corners = torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)
    rois = torch.cat([torch.tensor([[2.0], [0.0]]), corners], dim=1)
    both = pool_boxes(features, boxes.expand(3, 2, 4), (2, 3), SCALE)
    torch.testing.assert_close(prroi_pool(features, rois, (2, 3), SCALE), torch.stack([both[2, 0], both[0, 1]]))


@pytest.mark.parametrize("side", [0.05, 3.0])
def test_float32_maps_keep_their_precision(side: float) -> None:
    """The axis weights of a small box far from the origin cancel in float32, by 1e-3 for the smaller one."""
    features = noise("maps", 1, 3, 6, 200)
    boxes = torch.tensor([[[1531.3, 20.7, side, side]]])
    exact = pool_boxes(features, boxes.double(), (5, 5), SCALE)
    assert error(pool_boxes(features.float(), boxes, (5, 5), SCALE), exact) < 1e-6


@pytest.mark.parametrize("stem", ["prroi_a", "prroi_b"])
def test_reference(reference: Callable[[str], Case], stem: str, device: torch.device) -> None:
    case = reference(stem)
    features, rois, weights = (torch.from_numpy(case[name]).to(device) for name in ("feat", "rois", "gout"))
    height, width, scale = case["cfg"].tolist()
    pooled: Tensor = prroi_pool(
        features.requires_grad_(), rois.requires_grad_(), output_size=(int(height), int(width)), spatial_scale=scale
    )
    gradients = torch.autograd.grad(pooled, (features, rois), weights)
    assert error(pooled, case["out"]) < 1e-5
    assert error(gradients[0], case["grad_feat"]) < 1e-5
    assert error(gradients[1], case["grad_rois"]) < 1e-5
