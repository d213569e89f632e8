"""The loss of one step: L = L_TCL + lambda L_BBE (Eq. 1) on what the branches were fed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trainer.branches import Feed
from trainer.losses import bbe_loss, dimp_classification, iou_regression, kl_regression, tcl_loss
from trainer.net import AtomNet, DimpNet
from trainer.recipe import Module, TrainConfig
from trainer.state_head import StateHead

KL_WEIGHT = 0.01
"""SuperDiMP's weight of the box loss beside DiMP's classification loss."""


class Objective(nn.Module):
    """Runs the network on a feed and returns the loss and its parts.

    Args:
        net: the two-branch tracker; whatever of it is frozen has ``requires_grad`` off already.
        modules: which parts of the loss are wanted.
        config: settings of the run.
        head: psi of Eq. 3, for losses ``paper``.
        parameters: trained box parameters that ``nu`` shrinks: weights, without biases and batch-norms.
    """

    def __init__(
        self,
        net: DimpNet | AtomNet,
        modules: Sequence[Module],
        config: TrainConfig,
        head: StateHead | None = None,
        parameters: Sequence[Tensor] = (),
    ) -> None:
        super().__init__()
        self.net, self.modules_wanted, self.config, self.head = net, tuple(modules), config, head
        self.shrunk = list(parameters)

    def forward(self, feed: Feed) -> tuple[Tensor, dict[str, float]]:
        """Loss of a feed, a scalar, and its parts by name."""
        count = len(feed.reference)
        # The backbone is frozen in every row: one pass over both branches' images, and no graph through it.
        with torch.no_grad():
            features = self.net.backbone_features(torch.cat([feed.reference, feed.test]))
        reference = {level: maps[:count] for level, maps in features.items()}
        test = {level: maps[count:] for level, maps in features.items()}
        total = feed.label.new_zeros(())
        parts: dict[str, float] = {}
        if "tcl" in self.modules_wanted:
            loss = self._tcl(reference, test, feed)
            total, parts["tcl"] = total + loss, float(loss.detach())
        if "bbe" in self.modules_wanted:
            loss = self._bbe(reference, test, feed)
            total, parts["bbe"] = total + self.config.weight * loss, float(loss.detach())
        parts["loss"] = float(total.detach())
        return total, parts

    def _tcl(self, reference: dict[str, Tensor], test: dict[str, Tensor], feed: Feed) -> Tensor:
        """The filter comes from the reference branch's features and must answer on the test branch's (Eq. 2)."""
        if not isinstance(self.net, DimpNet):
            raise TypeError("ATOM has no classifier that is trained offline")
        found = self.net.predict_filter(self.net.classification_features(reference), feed.reference_box[None])
        features, label = self.net.classification_features(test), feed.label[None]
        if self.config.losses == "paper":
            ends = torch.stack([found.filters[0], found.filters[-1]])
            return tcl_loss(self.net.classify(ends, features), label, ends, self.config.mu)
        return dimp_classification(self.net.classify(found.filters, features), label)

    def _bbe(self, reference: dict[str, Tensor], test: dict[str, Tensor], feed: Feed) -> Tensor:
        """The reference branch modulates the test branch, which must say where the box is (Eq. 3)."""
        modulation = self.net.modulation(reference, feed.reference_box)
        if self.config.losses == "paper":
            if self.head is None:
                raise ValueError("losses 'paper' need psi: fit a StateHead first")
            prediction = self.head(self.net.modulate(modulation, self.net.iou_features(test)))
            return bbe_loss(prediction, self.head.standardise(feed.state), self.shrunk, self.config.nu)
        predicted = self.net.predict_iou(modulation, test, feed.proposals[None])[0]
        if feed.density is not None:
            return KL_WEIGHT * kl_regression(predicted, *feed.density)
        return iou_regression(predicted, feed.proposal_iou)
