"""ATOM's classifier: its solver, its derivatives against autograd, its interpolation against the Fourier transform."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.trackers.conjugate import Direction, solve
from trainer.trackers.online.atom import _interpolation
from trainer.trackers.online.atom_classifier import OnlineClassifier, activation
from trainer.trackers.parameters.params import AtomParams

SMALL = AtomParams(compressed_dim=3, filter_reg=0.1, projection_reg=0.02)


@pytest.fixture(autouse=True)
def double() -> Any:
    """Float64, so that an error is an error of the formulas."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def data(samples: int = 4) -> tuple[Tensor, Tensor, torch.Generator]:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(samples, 5, 6, 7, generator=generator)
    return features, torch.rand(samples, 6, 7, generator=generator), generator


def residuals(
    weights: Tensor, projection: Tensor, features: Tensor, labels: Tensor, share: Tensor, params: AtomParams
) -> Tensor:
    """The problem as the paper writes it, with plain convolutions."""
    inner = activation(params.projection_activation).value(F.conv2d(features, projection[:, :, None, None]))
    kh, kw = weights.shape[1:]
    scores = F.conv2d(inner, weights[None], padding=(kh // 2, kw // 2))[:, 0, : labels.shape[1], : labels.shape[2]]
    error = activation(params.response_activation).value(scores) - labels
    parts = (
        share.sqrt()[:, None, None] * error,
        params.filter_reg**0.5 * weights,
        params.projection_reg**0.5 * projection,
    )
    return torch.cat([part.flatten() for part in parts])


def gauss_newton(start: tuple[Tensor, ...], call: Any) -> list[Tensor]:
    """The exact Gauss-Newton step of residuals from their full Jacobian."""
    jacobian = torch.cat([each.flatten(1) for each in torch.autograd.functional.jacobian(call, start)], dim=1)
    step = torch.linalg.solve(jacobian.T @ jacobian, -jacobian.T @ call(*start))
    sizes = [each.numel() for each in start]
    return [point + part.view_as(point) for point, part in zip(start, step.split(sizes))]


@pytest.mark.parametrize("kernel", [(4, 4), (3, 3), (3, 4)])
@pytest.mark.parametrize("projected", ["none", ("mlu", 0.1), "elu"])
def test_the_first_frame_takes_gauss_newton_steps(kernel: tuple[int, int], projected: Any) -> None:
    params = replace(SMALL, kernel_size=kernel, projection_activation=projected, init_CG_iter=[400])
    features, labels, generator = data()
    found = OnlineClassifier(features, params, generator)
    found.filter = found.filter * 30
    assert found.projection is not None
    share = torch.full((4,), 1 / 4)
    start = (found.filter, found.projection)
    wanted = gauss_newton(start, lambda w, p: residuals(w, p, features, labels, share, params))
    found.learn_first(features, labels)
    torch.testing.assert_close(found.filter, wanted[0], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found.projection, wanted[1], atol=1e-6, rtol=1e-5)


def test_updates_change_the_filter_alone() -> None:
    features, labels, generator = data()
    share = torch.tensor([0.1, 0.2, 0.3, 0.4])
    found = OnlineClassifier(features, SMALL, generator)
    projection = found.projection
    assert projection is not None
    (wanted,) = gauss_newton((found.filter,), lambda w: residuals(w, projection, features, labels, share, SMALL))
    found.learn(found.project(features), labels, share, 200)
    torch.testing.assert_close(found.filter, wanted, atol=1e-6, rtol=1e-5)
    assert found.projection is projection


def test_scores_are_a_convolution_of_the_size_of_the_map() -> None:
    features, _, generator = data()
    found = OnlineClassifier(features, SMALL, generator)
    assert found.projection is not None
    inner = F.conv2d(features, found.projection[:, :, None, None])
    wanted = F.conv2d(inner, found.filter[None], padding=2)[:, 0, :-1, :-1]
    torch.testing.assert_close(found.score(found.project(features)), wanted)


@pytest.mark.parametrize("choice", [{"use_projection_matrix": False}, {"update_projection_matrix": False}])
def test_without_a_learnt_projection_the_filter_learns_alone(choice: dict[str, bool]) -> None:
    features, labels, generator = data()
    found = OnlineClassifier(features, replace(SMALL, init_CG_iter=30, **choice), generator)  # type: ignore[arg-type]
    before = found.projection
    found.learn_first(features, labels)
    assert found.projection is before
    response = activation(SMALL.response_activation).value(found.score(found.project(features)))
    assert (response - labels).square().mean() < labels.square().mean()


def test_principal_components_are_orthonormal_and_zeros_are_zero() -> None:
    features, _, generator = data()
    found = OnlineClassifier(features, replace(SMALL, proj_init_method="pca", filter_init_method="zeros"), generator)
    assert found.projection is not None
    torch.testing.assert_close(found.projection @ found.projection.T, torch.eye(3))
    assert not found.filter.any()


@pytest.mark.parametrize("setting", ["none", "relu", "elu", ("mlu", 0.05)])
def test_slopes_are_those_of_the_activations(setting: Any) -> None:
    x = torch.linspace(-2, 2, 41)[torch.arange(41) != 20].requires_grad_()
    found = activation(setting)
    (wanted,) = torch.autograd.grad(found.value(x).sum(), x)
    torch.testing.assert_close(found.slope(x.detach()), wanted)


def test_an_unknown_activation_is_named() -> None:
    with pytest.raises(ValueError, match="'swish'"):
        activation("swish")


@pytest.mark.parametrize("fletcher_reeves", [False, True])
def test_conjugate_gradients_end_after_as_many_steps_as_unknowns(fletcher_reeves: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    root = torch.randn(6, 6, generator=generator)
    matrix, right = root @ root.T + torch.eye(6), torch.randn(6, generator=generator)
    found = solve(lambda x: matrix @ x, right, 6, 1 / matrix.diag(), fletcher_reeves)
    torch.testing.assert_close(found, torch.linalg.solve(matrix, right))
    assert not solve(lambda x: matrix @ x, torch.zeros(6), 6).any()


def test_a_remembered_direction_is_used() -> None:
    matrix, right = torch.diag(torch.arange(1.0, 7)), torch.ones(6)
    memory = Direction(forget=0.5)
    first = solve(lambda x: matrix @ x, right, 2, direction=memory)
    torch.testing.assert_close(first, solve(lambda x: matrix @ x, right, 2))
    again = solve(lambda x: matrix @ x, right, 2, direction=memory)
    assert (again - first).abs().max() > 1e-3


@pytest.mark.parametrize(("cells", "out", "kernel"), [(18, 288, 4), (17, 272, 3), (10, 160, 5)])
def test_interpolation_is_that_of_the_fourier_series(cells: int, out: int, kernel: int) -> None:
    scores = np.random.default_rng(0).standard_normal(cells)
    spectrum = np.fft.rfft(scores) / cells
    frequency = np.arange(len(spectrum))
    spectrum = spectrum * np.exp(1j * np.pi * (1 - kernel % 2 / cells) * frequency)
    padded = np.zeros(out // 2 + 1, complex)
    padded[: len(spectrum)] = spectrum
    series = np.fft.irfft(padded, out) * out
    wanted = np.concatenate([series[(out + 1) // 2 :], series[: (out + 1) // 2]])
    np.testing.assert_allclose(_interpolation(cells, out, kernel) @ scores, wanted, atol=1e-5)
