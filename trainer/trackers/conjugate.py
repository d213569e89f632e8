"""Conjugate gradients for the least-squares problems of ATOM's classifier (Danelljan et al., CVPR 2019, sec. 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]
"""A symmetric positive matrix times a vector (d,)."""


@dataclass
class Direction:
    """The last direction, from which a solver may go on.

    Attributes:
        forget: factor by which it fades between two calls; 0 forgets it at once.
    """

    forget: float = 0.0
    step: Tensor | None = None
    residual: Tensor | None = None
    energy: Tensor | None = None


def solve(
    product: Product,
    right: Tensor,
    steps: int,
    preconditioner: Tensor | None = None,
    fletcher_reeves: bool = False,
    direction: Direction | None = None,
) -> Tensor:
    """An approximate solution (d,) of product(x) = right, from x = 0.

    Args:
        product: the matrix.
        right: (d,).
        steps: iterations.
        preconditioner: (d,) diagonal of an approximate inverse.
        fletcher_reeves: use their formula; Polak and Ribiere's else, whose factor is kept from being negative.
        direction: where the last call stopped; changed in place.
    """
    state = direction or Direction()
    if state.forget == 0:
        state.step = state.residual = state.energy = None
    elif state.energy is not None:
        state.energy = state.energy / state.forget
    solution, residual = torch.zeros_like(right), right
    for _ in range(steps):
        scaled = residual if preconditioner is None else preconditioner * residual
        energy = residual @ scaled
        if not energy > 0:
            break
        if state.step is None or state.residual is None or state.energy is None:
            state.step = scaled
        else:
            change = energy if fletcher_reeves else energy - state.residual @ scaled
            state.step = scaled + (change / state.energy).clamp(min=0) * state.step
        image = product(state.step)
        length = energy / (state.step @ image)
        state.residual, state.energy = residual, energy
        solution = solution + length * state.step
        residual = residual - length * image
    return solution
