"""ATOM's classifier, learnt while tracking: a projection, a filter, and the least squares that both solve.

Danelljan et al., CVPR 2019, sec. 3.2; pytracking's tracker.atom. Features are (n, C, h, w), scores and labels
(n, h, w).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.net.correlation import correlate, correlate_transposed
from trainer.trackers.conjugate import Direction, solve
from trainer.trackers.parameters.params import AtomParams


class Activation(NamedTuple):
    """A function of every value, and its slope."""

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]


def activation(setting: str | Sequence[Any]) -> Activation:
    """The activation that a parameter names: ``none``, ``relu``, ``elu``, or (``mlu``, its parameter).

    Raises:
        ValueError: it is none of them.
    """
    name, *rest = [setting] if isinstance(setting, str) else list(setting)
    if name == "none":
        return Activation(lambda x: x, torch.ones_like)
    if name == "relu":
        return Activation(torch.relu, lambda x: (x > 0).to(x.dtype))
    if name == "elu":
        return Activation(F.elu, lambda x: x.clamp(max=0).exp())
    if name == "mlu" and rest:
        alpha = float(rest[0])
        return Activation(lambda x: F.elu(F.leaky_relu(x, 1 / alpha), alpha), lambda x: (x / alpha).clamp(max=0).exp())
    raise ValueError(f"activation {setting!r}: choose none, relu, elu or ('mlu', parameter)")


class OnlineClassifier:
    """The projection and the filter of one target.

    Args:
        features: (n, C, h, w) of the first frame.
        params: how both are made and learnt.
        generator: of their first values.
    """

    def __init__(self, features: Tensor, params: AtomParams, generator: torch.Generator) -> None:
        self._params = params
        self._on_features, self._on_scores = (
            activation(params.projection_activation),
            activation(params.response_activation),
        )
        self._size = (params.kernel_size[0], params.kernel_size[1])
        self.projection = _projection(features, params, generator) if params.use_projection_matrix else None
        channels = features.shape[1] if self.projection is None else len(self.projection)
        self.filter = torch.zeros(channels, *self._size)
        if params.filter_init_method == "randn":
            self.filter.normal_(0, 1 / self.filter.numel(), generator=generator)
        self.filter = self.filter.to(features.device)
        rate = params.CG_forgetting_rate
        self._direction = Direction(0.0 if rate is None else (1 - params.learning_rate) ** rate)

    def project(self, features: Tensor) -> Tensor:
        """Compressed features (n, D, h, w)."""
        return self._on_features.value(features if self.projection is None else _mixed(self.projection, features))

    def score(self, compressed: Tensor) -> Tensor:
        """Scores (n, h, w) of compressed features, before the activation."""
        return _correlated(compressed, self.filter)

    def learn_first(self, features: Tensor, labels: Tensor) -> None:
        """Learn projection and filter on the first frame: Gauss-Newton, each step solved by conjugate gradients."""
        params = self._params
        share = features.new_full((len(features),), 1 / len(features))
        total = params.init_CG_iter
        if self.projection is None or not params.update_projection_matrix:
            self.learn(self.project(features), labels, share, total if isinstance(total, int) else sum(total))
        else:
            rounds = [total // params.init_GN_iter] * params.init_GN_iter if isinstance(total, int) else total
            for steps in rounds:
                self._joint_step(features, labels, share, steps)
        self.learn(self.project(features), labels, share, params.post_init_CG_iter)

    def learn(self, compressed: Tensor, labels: Tensor, share: Tensor, steps: int) -> None:
        """Improve the filter on compressed features (n, D, h, w), each weighing its ``share`` (n,)."""
        if steps == 0:
            return
        reg = self._params.filter_reg
        residual, slope = self._residual(self.score(compressed), labels, share)

        def gradient(error: Tensor) -> Tensor:
            return _filter_gradient(compressed, slope * error, self._size).flatten()

        def product(step: Tensor) -> Tensor:
            moved = slope * _correlated(compressed, step.view_as(self.filter))
            return gradient(moved) + reg * step

        right = -(gradient(residual) + reg * self.filter.flatten())
        step = solve(product, right, steps, None, self._params.fletcher_reeves, self._direction)
        self.filter = self.filter + step.view_as(self.filter)

    def _joint_step(self, features: Tensor, labels: Tensor, share: Tensor, steps: int) -> None:
        """One Gauss-Newton step in the filter and the projection together."""
        if self.projection is None:
            return
        weights, projection, params = self.filter, self.projection, self._params
        mixed = _mixed(projection, features)
        compressed, bend = self._on_features.value(mixed), self._on_features.slope(mixed)
        residual, slope = self._residual(self.score(compressed), labels, share)
        point = torch.cat([weights.flatten(), projection.flatten()])
        reg = torch.full_like(point, params.filter_reg)
        reg[weights.numel() :] = params.projection_reg

        def gradient(error: Tensor) -> Tensor:
            error = slope * error
            inner = _feature_gradient(weights, error) * bend
            outer = (inner.flatten(2) @ features.flatten(2).transpose(1, 2)).sum(0)
            return torch.cat([_filter_gradient(compressed, error, self._size).flatten(), outer.flatten()])

        def product(step: Tensor) -> Tensor:
            turn = _mixed(step[weights.numel() :].view_as(projection), features) * bend
            moved = _correlated(compressed, step[: weights.numel()].view_as(weights)) + _correlated(turn, weights)
            return gradient(slope * moved) + reg * step

        right = -(gradient(residual) + reg * point)
        point = point + solve(product, right, steps, 1 / reg, params.fletcher_reeves)
        self.filter = point[: weights.numel()].view_as(weights)
        self.projection = point[weights.numel() :].view_as(projection)

    def _residual(self, scores: Tensor, labels: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted residuals (n, h, w), and their derivative by the scores."""
        root = share.sqrt()[:, None, None]
        return root * (self._on_scores.value(scores) - labels), root * self._on_scores.slope(scores)


def _projection(features: Tensor, params: AtomParams, generator: torch.Generator) -> Tensor:
    """The first projection (D, C): random, or the principal components of the features."""
    channels = features.shape[1]
    if params.proj_init_method == "pca":
        rows = features.transpose(0, 1).flatten(1)
        rows = rows - rows.mean(1, keepdim=True)
        directions: Tensor = torch.linalg.svd(rows @ rows.T).U
        return directions[:, : params.compressed_dim].T.contiguous()
    return (
        torch.empty(params.compressed_dim, channels)
        .normal_(0, 1 / math.sqrt(channels), generator=generator)
        .to(features.device)
    )


def _mixed(matrix: Tensor, features: Tensor) -> Tensor:
    """A 1x1 convolution: (D, C) with (n, C, h, w) to (n, D, h, w)."""
    return (matrix @ features.flatten(2)).view(len(features), -1, *features.shape[2:])


def _correlated(features: Tensor, weights: Tensor) -> Tensor:
    """Scores (n, h, w) of a filter (C, kh, kw): as many as cells, for even filters without the last row and column."""
    scores = correlate(features[:, None], weights[None, None])[0, :, 0]
    return scores[:, : features.shape[2], : features.shape[3]]


def _padded(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Scores with zeros for the row and column that even filters leave out."""
    return F.pad(scores, (0, (size[1] + 1) % 2, 0, (size[0] + 1) % 2))


def _filter_gradient(features: Tensor, scores: Tensor, size: tuple[int, int]) -> Tensor:
    """The transpose of :func:`_correlated` in the filter: (C, kh, kw)."""
    return correlate_transposed(features[:, None], _padded(scores, size)[:, None], size)[0]


def _feature_gradient(weights: Tensor, scores: Tensor) -> Tensor:
    """The transpose of :func:`_correlated` in the features: (n, C, h, w)."""
    size = (weights.shape[1], weights.shape[2])
    shifted = F.unfold(_padded(scores, size)[:, None], size, padding=((size[0] - 1) // 2, (size[1] - 1) // 2))
    return (weights.flip(-2, -1).flatten(1) @ shifted).view(len(scores), -1, *scores.shape[1:])
