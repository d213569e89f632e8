"""Adam on float64 master weights.

The paper's rates are below float32's resolution: a step of 2e-8 is lost on a weight above 0.6. So the trained tensors
have float64 masters that take the steps and are cast for the forward pass.

The steps are torch's functional Adam: its class imports torch's compiler, which is not used here and costs every start
two seconds. One fused pass over masters, moments and gradients takes a seventh of the time of one operation each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from trainer.train.distributed import ProcessGroup


class MasterAdam:
    """Adam over float64 copies of a network's trained parameters.

    Args:
        net: the network; only the named parameters keep ``requires_grad``.
        groups: parameter names by module.
        rates: learning rate by module, before the schedule.
        processes: those whose gradients are averaged.
    """

    def __init__(
        self,
        net: nn.Module,
        groups: Mapping[str, list[str]],
        rates: Mapping[str, float],
        processes: ProcessGroup | None = None,
    ) -> None:
        self.processes = processes or ProcessGroup()
        parameters = dict(net.named_parameters())
        trained = {name for names in groups.values() for name in names}
        for name, parameter in parameters.items():
            parameter.requires_grad_(name in trained)
        self.live = {name: parameters[name] for name in parameters if name in trained}
        self.masters = {name: p.detach().double().clone().requires_grad_() for name, p in self.live.items()}
        self.groups = {module: tuple(names) for module, names in groups.items()}
        self.rates, self.scale = dict(rates), 1.0
        self.moments: dict[str, dict[str, Tensor]] = {}

    def set_scale(self, scale: float) -> None:
        """Set every module's learning rate to its own rate times ``scale``."""
        self.scale = scale

    def step(self, loss: Tensor) -> None:
        """Differentiate the loss, step the masters, cast them into the network."""
        names = list(self.live)
        gradients = torch.autograd.grad(loss, [self.live[name] for name in names], allow_unused=True)
        self.processes.mean_([gradient for gradient in gradients if gradient is not None])
        # In its master's memory order: the fused pass walks all of them flat, whatever their strides say.
        found = {
            name: torch.empty_like(self.masters[name]).copy_(gradient)
            for name, gradient in zip(names, gradients)
            if gradient is not None
        }
        with torch.no_grad():
            for module, members in self.groups.items():
                self._step(found, [name for name in members if name in found], self.rates[module] * self.scale)
            for name, parameter in self.live.items():
                parameter.copy_(self.masters[name])

    def _step(self, gradients: Mapping[str, Tensor], names: list[str], rate: float) -> None:
        """Adam's step of named masters, with the moments that torch's class starts from."""
        for name in names:
            if name not in self.moments:
                zero = torch.zeros_like(self.masters[name])
                count = torch.zeros((), device=zero.device)
                self.moments[name] = {"step": count, "exp_avg": zero, "exp_avg_sq": zero.clone()}
        moments = {key: [self.moments[name][key] for name in names] for key in ("exp_avg", "exp_avg_sq", "step")}
        adam(
            [self.masters[name] for name in names], [gradients[name] for name in names],
            moments["exp_avg"], moments["exp_avg_sq"], [], moments["step"],
            fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=rate, weight_decay=0.0, eps=1e-8, maximize=False,
        )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        """Masters, and the moments by number as torch's class has them."""
        numbers = {name: number for number, name in enumerate(self._in_order())}
        moments = {numbers[name]: kept for name, kept in self.moments.items()}
        return {"masters": {n: m.detach() for n, m in self.masters.items()}, "adam": {"state": moments}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore masters and moments, and the network's own parameters from them."""
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(state["masters"][name])
                self.live[name].copy_(master)
        names = self._in_order()
        self.moments = {}
        for number, kept in state["adam"]["state"].items():
            device = self.masters[names[number]].device
            # The order too: the file of a run that went on has the same bytes.
            self.moments[names[number]] = {key: value.to(device) for key, value in kept.items()}

    def _in_order(self) -> list[str]:
        return [name for names in self.groups.values() for name in names]
