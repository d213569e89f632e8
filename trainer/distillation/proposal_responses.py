"""How the branches of DiMP and ATOM answer one another: filters and their response, modulation and proposals."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from trainer.data.feeds import Feed
from trainer.distillation.responses import Given, Responses, Sides
from trainer.net import DimpNet, TrackingNet
from trainer.net.backbone import Features
from trainer.net.iou_net import BoxFeatures, Modulation
from trainer.recipes.recipe import Branch, Module


class ProposalResponses(Responses):
    """DiMP's and ATOM's."""

    state_maps = (512, 9)

    def tcl(self, sides: Sides, feed: Feed) -> Given:
        """The filter comes from the reference branch's features and must answer on the test branch's (Eq. 2).

        How far it does is measured by ``tcl_loss``: by default the base tracker's LBHinge, not the square of Eq. 2.
        """
        asking, answering = _with_classifier(sides.asking), _with_classifier(sides.answering)
        boxes = feed.by_image(feed.reference_box)
        filters = asking.predict_filter(asking.classification_features(sides.reference), boxes).filters
        features, label = answering.classification_features(sides.test), feed.by_image(feed.label)
        ends = functools.cache(lambda: torch.stack([filters[0], filters[-1]]))
        return {
            "scores": lambda: answering.classify(filters, features).float(),
            "filters": filters.float,
            "end_scores": lambda: answering.classify(ends(), features).float(),
            "end_filters": lambda: ends().float(),
            "label": lambda: label,
        }

    def bbe(self, sides: Sides, feed: Feed) -> Given:
        """The reference branch modulates the test branch, which must say where the box is (Eq. 3).

        Of several images the first modulates, as DiMP has it.
        """
        answering: TrackingNet = sides.answering
        modulation: Modulation = sides.asking.reference_modulation(sides.reference, feed.by_image(feed.reference_box))
        features: BoxFeatures = answering.iou_features(sides.test)
        density = feed.density or (None, None)

        def predicted() -> Tensor:
            proposals = feed.by_image(feed.proposals)
            return answering.score_proposals(modulation, features, proposals).flatten(0, 1).float()

        return {
            "predicted": predicted,
            "overlap": lambda: feed.proposal_iou,
            "sample_density": lambda: density[0],
            "truth_density": lambda: density[1],
            "modulated": lambda: answering.modulate(modulation, features),
        }

    def output(self, net: TrackingNet, module: Module, branch: Branch, features: Features, feed: Feed) -> Tensor:
        """Of the IoU-net the two modulation vectors, or all features of the test branch.

        Of the classifier the initial and the final filter, or all classification features.
        """
        if module == "bbe":
            made = net.modulation(features, feed.reference_box) if branch == "reference" else net.iou_features(features)
            return torch.cat([each.flatten(1) for each in made], dim=1).float()
        classifier = _with_classifier(net)
        maps = classifier.classification_features(features)
        if branch == "test":
            return maps.flatten(1).float()
        filters = classifier.predict_filter(maps, feed.reference_box[None]).filters
        return torch.cat([filters[0].flatten(1), filters[-1].flatten(1)], dim=1).float()

    def run(self, net: TrackingNet, feed: Feed) -> None:
        """See :meth:`~trainer.distillation.responses.Responses.run`: the backbone sees both branches at once."""
        features = net.window_features(torch.cat([feed.reference, feed.test]))
        if isinstance(net, DimpNet):
            net.classification_features(features)
        reference, test = ({name: maps.chunk(2)[side] for name, maps in features.items()} for side in (0, 1))
        modulation = net.modulation(reference, feed.reference_box)
        net.score_proposals(modulation, net.iou_features(test), feed.proposals[None])


def _with_classifier(net: TrackingNet) -> DimpNet:
    if not isinstance(net, DimpNet):
        raise TypeError("this base tracker has no classifier that is trained offline")
    return net
