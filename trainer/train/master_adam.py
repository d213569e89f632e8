"""Adam on float64 master weights.

The paper's rates are below float32's resolution: a step of 2e-8 is lost on a weight above 0.6. So the trained tensors
have float64 masters that take the steps and are cast for the forward pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

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
        self.rates = dict(rates)
        self.adam = torch.optim.Adam(
            [{"params": [self.masters[n] for n in names], "lr": rates[m], "module": m} for m, names in groups.items()]
        )

    def set_scale(self, scale: float) -> None:
        """Set every module's learning rate to its own rate times ``scale``."""
        for group in self.adam.param_groups:
            group["lr"] = self.rates[group["module"]] * scale

    def step(self, loss: Tensor) -> None:
        """Differentiate the loss, step the masters, cast them into the network."""
        names = list(self.live)
        gradients = torch.autograd.grad(loss, [self.live[name] for name in names], allow_unused=True)
        self.processes.mean_([gradient for gradient in gradients if gradient is not None])
        for name, gradient in zip(names, gradients):
            self.masters[name].grad = None if gradient is None else gradient.double()
        self.adam.step()
        with torch.no_grad():
            for name, parameter in self.live.items():
                parameter.copy_(self.masters[name])

    def state_dict(self) -> dict[str, Any]:
        """Masters and moments."""
        return {"masters": {n: m.detach() for n, m in self.masters.items()}, "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore masters and moments, and the network's own parameters from them."""
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(state["masters"][name])
                self.live[name].copy_(master)
        self.adam.load_state_dict(state["adam"])
