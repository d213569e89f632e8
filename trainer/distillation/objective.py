"""The loss of one step: L = L_TCL + lambda L_BBE (Eq. 1) on what the branches were fed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainer.data.feeds import Feed
from trainer.distillation.responses import Given, Responses, Sides
from trainer.distillation.state_head import StateHead
from trainer.features import Backbone
from trainer.net import BranchedNet
from trainer.recipes.losses import TAUGHT
from trainer.recipes.recipe import Module
from trainer.recipes.row import Row
from trainer.recipes.settings import TrainSettings


class Objective(nn.Module):
    """Runs the network on a feed and returns the loss and its parts.

    Args:
        net: the two-branch tracker; whatever of it is frozen has ``requires_grad`` off already.
        features: its backbone.
        row: what is trained, of which branch, by which losses.
        settings: settings of the run.
        teacher: runs the branch that is not trained, where that must not be ``net`` itself, or both where its answers
            are learnt; it shares the backbone.
        head: psi of Eq. 3, for the box loss ``state``.
        shrunk: trained box parameters that ``nu`` shrinks: weights, without biases and batch-norms.
    """

    def __init__(
        self,
        net: BranchedNet,
        features: Backbone,
        row: Row,
        settings: TrainSettings,
        *,
        teacher: BranchedNet | None = None,
        head: StateHead | None = None,
        shrunk: Sequence[Tensor] = (),
    ) -> None:
        super().__init__()
        self.net, self.features, self.row, self.settings, self.head = net, features, row, settings, head
        self.shrunk = list(shrunk)
        self.teacher = teacher
        self.responses: Responses = row.base.family.part("responses")()
        other = teacher or net
        self.reference_side = other if row.recipe.branch == "test" else net
        self.test_side = other if row.recipe.branch == "reference" else net

    def forward(self, feed: Feed) -> tuple[Tensor, dict[str, float]]:
        """Loss of a feed, a scalar, and its parts by name."""
        with torch.autocast(feed.label.device.type, torch.bfloat16, enabled=self.settings.amp):
            sides, taught = self._sides(feed), self._taught(feed)
            total = feed.label.new_zeros(())
            parts: dict[str, float] = {}
            if "tcl" in self.row.modules:
                loss = self._tcl(sides, taught, feed)
                total, parts["tcl"] = total + loss, float(loss.detach())
            if "bbe" in self.row.modules:
                loss = self._bbe(sides, taught, feed)
                total, parts["bbe"] = total + self.settings.bbe_weight * loss, float(loss.detach())
        parts["loss"] = float(total.detach())
        return total, parts

    def _sides(self, feed: Feed) -> Sides:
        """Both branches; their backbone features are without a graph where nothing of the backbone is trained."""
        with torch.set_grad_enabled("backbone" in self.row.modules and torch.is_grad_enabled()):
            # Each branch by itself: where batch-norms learn, they see one branch's windows at a time.
            seen = [self.features(windows, again=feed.again) for windows in (feed.reference, feed.test)]
            return Sides(self.reference_side, self.test_side, *seen)

    def _taught(self, feed: Feed) -> Sides | None:
        """Both branches of the teacher, on RGB in the same windows; None where nobody asks for its answers."""
        if not self.row.imitating:
            return None
        if feed.twins is None or self.teacher is None:
            raise ValueError("a loss that imitates needs a teacher, and its windows")
        with torch.no_grad():
            seen = [self.features(windows, again=feed.again) for windows in feed.twins]
            return Sides(self.teacher, self.teacher, *seen)

    def _tcl(self, sides: Sides, taught: Sides | None, feed: Feed) -> Tensor:
        """Eq. 2, or the loss that stands in its place: ``tcl_loss``, by default the base tracker's own."""
        given = self.responses.tcl(sides, feed) | {"mu": lambda: self.settings.mu}
        given |= self._compared("tcl", sides, feed) | _answers(self.responses.tcl, taught, feed)
        loss: Tensor = self.row.tcl_loss(given)
        return loss

    def _bbe(self, sides: Sides, taught: Sides | None, feed: Feed) -> Tensor:
        """Eq. 3, or the loss that stands in its place: ``bbe_loss``."""
        given = self.responses.bbe(sides, feed)

        def predicted_state() -> Tensor:
            state: Tensor = self._psi()(given["modulated"]())
            return state.float()

        loss: Tensor = self.row.bbe_loss(
            given
            | {
                "predicted_state": predicted_state,
                "state": lambda: self._psi().standardise(feed.state),
                "weights": lambda: self.shrunk,
                "nu": lambda: self.settings.nu,
            }
            | self._compared("bbe", sides, feed)
            | _answers(self.responses.bbe, taught, feed)
        )
        return loss

    def _compared(self, module: Module, sides: Sides, feed: Feed) -> Given:
        """What the trained branch makes of its own window, and its teacher of the same window in RGB."""
        branch, output = self.row.recipe.branch, self.responses.output
        trained, features = (sides.answering, sides.test) if branch == "test" else (sides.asking, sides.reference)
        teacher = self.reference_side if branch == "test" else self.test_side

        def of_rgb() -> Tensor:
            if feed.twin is None:
                raise ValueError("a loss that compares needs the twin of a window")
            with torch.no_grad():
                return output(teacher, module, branch, self.features(feed.twin, again=feed.again), feed)

        return {"of_tir": lambda: output(trained, module, branch, features, feed), "of_rgb": of_rgb}

    def _psi(self) -> StateHead:
        if self.head is None:
            raise ValueError(f"box loss {self.row.bbe_loss.name!r} needs psi: fit a StateHead first")
        return self.head


def _answers(respond: Callable[[Sides, Feed], Given], taught: Sides | None, feed: Feed) -> Given:
    """What the teacher answers, under the names of what the student does and a prefix; nothing where nobody asks."""
    if taught is None:
        return {}
    with torch.no_grad():
        given = respond(taught, feed)

    def frozen(name: str) -> Any:
        with torch.no_grad():
            return given[name]()

    return {f"{TAUGHT}{name}": functools.partial(frozen, name) for name in given}
