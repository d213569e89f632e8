"""The loss of one step: L = L_TCL + lambda L_BBE (Eq. 1) on what the branches were fed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trainer.data.feeds import Feed
from trainer.distillation.losses import bbe_loss, dimp_classification, iou_regression, kl_regression, tcl_loss
from trainer.distillation.state_head import StateHead
from trainer.net import AtomNet, DimpNet
from trainer.net.backbone import Features
from trainer.recipes.base_trackers import TrackerSpec
from trainer.recipes.recipe import Branch, Module
from trainer.recipes.settings import TrainSettings

KL_WEIGHT = 0.01
"""SuperDiMP's weight of the box loss beside DiMP's classification loss."""


class Objective(nn.Module):
    """Runs the network on a feed and returns the loss and its parts.

    Args:
        net: the two-branch tracker; whatever of it is frozen has ``requires_grad`` off already.
        modules: what is trained.
        settings: settings of the run.
        spec: the base tracker.
        teacher: runs the branch that is not trained, where that must not be ``net`` itself; it shares its backbone.
        branch: which branch is trained.
        head: psi of Eq. 3, for the box loss ``state``.
        shrunk: trained box parameters that ``nu`` shrinks: weights, without biases and batch-norms.
    """

    def __init__(
        self,
        net: DimpNet | AtomNet,
        modules: Sequence[Module],
        settings: TrainSettings,
        spec: TrackerSpec,
        *,
        branch: Branch = "both",
        teacher: DimpNet | AtomNet | None = None,
        head: StateHead | None = None,
        shrunk: Sequence[Tensor] = (),
    ) -> None:
        super().__init__()
        self.net, self.modules_wanted, self.settings, self.head = net, tuple(modules), settings, head
        self.tcl_loss, self.bbe_loss = settings.loss_of(spec)
        self.shrunk = list(shrunk)
        other = teacher or net
        self.reference_side = other if branch == "test" else net
        self.test_side = other if branch == "reference" else net

    def forward(self, feed: Feed) -> tuple[Tensor, dict[str, float]]:
        """Loss of a feed, a scalar, and its parts by name."""
        with torch.autocast(feed.reference.device.type, torch.bfloat16, enabled=self.settings.amp):
            reference, test = self._features(feed)
            total = feed.label.new_zeros(())
            parts: dict[str, float] = {}
            if "tcl" in self.modules_wanted:
                loss = self._tcl(reference, test, feed)
                total, parts["tcl"] = total + loss, float(loss.detach())
            if "bbe" in self.modules_wanted:
                loss = self._bbe(reference, test, feed)
                total, parts["bbe"] = total + self.settings.weight * loss, float(loss.detach())
        parts["loss"] = float(total.detach())
        return total, parts

    def _features(self, feed: Feed) -> tuple[Features, Features]:
        """Backbone features of both branches, without a graph where the backbone is frozen."""
        with torch.set_grad_enabled("backbone" in self.modules_wanted and torch.is_grad_enabled()):
            return self.net.paired_features(feed.reference, feed.test)

    def _tcl(self, reference: Features, test: Features, feed: Feed) -> Tensor:
        """The filter comes from the reference branch's features and must answer on the test branch's (Eq. 2)."""
        answering, asking = self.test_side, self.reference_side
        if not isinstance(answering, DimpNet) or not isinstance(asking, DimpNet):
            raise TypeError("ATOM has no classifier that is trained offline")
        found = asking.predict_filter(asking.classification_features(reference), feed.reference_box[None])
        features, label = answering.classification_features(test), feed.label[None]
        if self.tcl_loss == "l2":
            ends = torch.stack([found.filters[0], found.filters[-1]])
            return tcl_loss(answering.classify(ends, features).float(), label, ends.float(), self.settings.mu)
        return dimp_classification(answering.classify(found.filters, features).float(), label)

    def _bbe(self, reference: Features, test: Features, feed: Feed) -> Tensor:
        """The reference branch modulates the test branch, which must say where the box is (Eq. 3)."""
        modulation = self.reference_side.modulation(reference, feed.reference_box)
        features = self.test_side.iou_features(test)
        total = feed.label.new_zeros(())
        if "state" in self.bbe_loss:
            if self.head is None:
                raise ValueError("box loss 'state' needs psi: fit a StateHead first")
            prediction = self.head(self.test_side.modulate(modulation, features)).float()
            total = bbe_loss(prediction, self.head.standardise(feed.state), self.shrunk, self.settings.nu)
        if self.bbe_loss == "state":
            return total
        predicted = self.test_side.score_proposals(modulation, features, feed.proposals[None])[0].float()
        if feed.density is not None:
            return total + KL_WEIGHT * kl_regression(predicted, *feed.density)
        return total + iou_regression(predicted, feed.proposal_iou)
