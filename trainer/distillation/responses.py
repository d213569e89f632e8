"""What the losses of a step are given of a network: one class for each kind of base tracker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from trainer.data.feeds import Feed
from trainer.recipes.recipe import Branch, Module

Given = dict[str, Callable[[], Any]]
"""What a loss can be given, by name; what it does not take is not computed."""


class Sides(NamedTuple):
    """The two branches of a step: the networks that run them, and the backbone features of their windows."""

    asking: Any
    answering: Any
    reference: Any
    test: Any


class Responses(ABC):
    """How the branches of one kind of base tracker answer one another.

    Attributes:
        state_maps: channels of the maps that psi of Eq. 3 reads, all levels together, and the cells a side that it
            reads of each.
    """

    state_maps: ClassVar[tuple[int, int]]

    @abstractmethod
    def tcl(self, sides: Sides, feed: Feed) -> Given:
        """What a classification loss can be given, but for the settings and what compares the modalities."""

    @abstractmethod
    def bbe(self, sides: Sides, feed: Feed) -> Given:
        """What a box loss can be given, likewise; and ``modulated``, the maps of each level that psi reads."""

    @abstractmethod
    def output(self, net: Any, module: Module, branch: Branch, features: Any, feed: Feed) -> Tensor:
        """What one branch of a module makes of its windows before the other has a part in it, (R, N) float32.

        Args:
            net: the network.
            module: ``bbe`` or ``tcl``.
            branch: ``reference`` or ``test``.
            features: backbone features of that branch's windows.
            feed: where the target is in them.
        """

    @abstractmethod
    def run(self, net: Any, feed: Feed) -> None:
        """Run all that runs while tracking once: reference windows in the one branch, test windows in the other."""
