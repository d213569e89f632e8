"""The loss of one step: L = L_TCL + lambda L_BBE (Eq. 1) on what the branches were fed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from trainer.data.feeds import Feed
from trainer.distillation.branch_output import branch_output
from trainer.distillation.state_head import StateHead
from trainer.net import DimpNet, TrackingNet
from trainer.net.backbone import Features
from trainer.recipes.recipe import Module
from trainer.recipes.row import Row
from trainer.recipes.settings import TrainSettings


class Objective(nn.Module):
    """Runs the network on a feed and returns the loss and its parts.

    Args:
        net: the two-branch tracker; whatever of it is frozen has ``requires_grad`` off already.
        row: what is trained, of which branch, by which losses.
        settings: settings of the run.
        teacher: runs the branch that is not trained, where that must not be ``net`` itself; it shares its backbone.
        head: psi of Eq. 3, for the box loss ``state``.
        shrunk: trained box parameters that ``nu`` shrinks: weights, without biases and batch-norms.
    """

    def __init__(
        self,
        net: TrackingNet,
        row: Row,
        settings: TrainSettings,
        *,
        teacher: TrackingNet | None = None,
        head: StateHead | None = None,
        shrunk: Sequence[Tensor] = (),
    ) -> None:
        super().__init__()
        self.net, self.row, self.settings, self.head = net, row, settings, head
        self.shrunk = list(shrunk)
        other = teacher or net
        self.reference_side = other if row.recipe.branch == "test" else net
        self.test_side = other if row.recipe.branch == "reference" else net

    def forward(self, feed: Feed) -> tuple[Tensor, dict[str, float]]:
        """Loss of a feed, a scalar, and its parts by name."""
        with torch.autocast(feed.reference.device.type, torch.bfloat16, enabled=self.settings.amp):
            reference, test = self._features(feed)
            total = feed.label.new_zeros(())
            parts: dict[str, float] = {}
            if "tcl" in self.row.modules:
                loss = self._tcl(reference, test, feed)
                total, parts["tcl"] = total + loss, float(loss.detach())
            if "bbe" in self.row.modules:
                loss = self._bbe(reference, test, feed)
                total, parts["bbe"] = total + self.settings.bbe_weight * loss, float(loss.detach())
        parts["loss"] = float(total.detach())
        return total, parts

    def _features(self, feed: Feed) -> tuple[Features, Features]:
        """Backbone features of both branches, without a graph where nothing of the backbone is trained."""
        with torch.set_grad_enabled("backbone" in self.row.modules and torch.is_grad_enabled()):
            return self.net.paired_features(feed.reference, feed.test)

    def _tcl(self, reference: Features, test: Features, feed: Feed) -> Tensor:
        """The filter comes from the reference branch's features and must answer on the test branch's (Eq. 2).

        How far it does is measured by ``tcl_loss``: by default the base tracker's LBHinge, not the square of Eq. 2.
        """
        answering, asking = self.test_side, self.reference_side
        if not isinstance(answering, DimpNet) or not isinstance(asking, DimpNet):
            raise TypeError("this base tracker has no classifier that is trained offline")
        boxes = feed.by_image(feed.reference_box)
        filters = asking.predict_filter(asking.classification_features(reference), boxes).filters
        features, label = answering.classification_features(test), feed.by_image(feed.label)
        ends = functools.cache(lambda: torch.stack([filters[0], filters[-1]]))
        loss: Tensor = self.row.tcl_loss(
            {
                "scores": lambda: answering.classify(filters, features).float(),
                "filters": filters.float,
                "end_scores": lambda: answering.classify(ends(), features).float(),
                "end_filters": lambda: ends().float(),
                "label": lambda: label,
                "mu": lambda: self.settings.mu,
                **self._compared("tcl", reference, test, feed),
            }
        )
        return loss

    def _bbe(self, reference: Features, test: Features, feed: Feed) -> Tensor:
        """The reference branch modulates the test branch, which must say where the box is (Eq. 3).

        Of several images the first modulates, as DiMP has it.
        """
        modulation = self.reference_side.reference_modulation(reference, feed.by_image(feed.reference_box))
        features = self.test_side.iou_features(test)
        density = feed.density or (None, None)

        def predicted() -> Tensor:
            proposals = feed.by_image(feed.proposals)
            return self.test_side.score_proposals(modulation, features, proposals).flatten(0, 1).float()

        def predicted_state() -> Tensor:
            state: Tensor = self._psi()(self.test_side.modulate(modulation, features))
            return state.float()

        loss: Tensor = self.row.bbe_loss(
            {
                "predicted": predicted,
                "overlap": lambda: feed.proposal_iou,
                "sample_density": lambda: density[0],
                "truth_density": lambda: density[1],
                "predicted_state": predicted_state,
                "state": lambda: self._psi().standardise(feed.state),
                "weights": lambda: self.shrunk,
                "nu": lambda: self.settings.nu,
                **self._compared("bbe", reference, test, feed),
            }
        )
        return loss

    def _compared(
        self, module: Module, reference: Features, test: Features, feed: Feed
    ) -> dict[str, Callable[[], Tensor]]:
        """What the trained branch makes of its own window, and its teacher of the same window in RGB."""
        branch = self.row.recipe.branch
        trained, features = (self.test_side, test) if branch == "test" else (self.reference_side, reference)
        teacher = self.reference_side if branch == "test" else self.test_side

        def of_rgb() -> Tensor:
            if feed.twin is None:
                raise ValueError("a loss that compares needs the twin of a window")
            with torch.no_grad():
                return branch_output(teacher, module, branch, self.net.backbone_features(feed.twin), feed)

        return {"of_tir": lambda: branch_output(trained, module, branch, features, feed), "of_rgb": of_rgb}

    def _psi(self) -> StateHead:
        if self.head is None:
            raise ValueError(f"box loss {self.row.bbe_loss.name!r} needs psi: fit a StateHead first")
        return self.head
