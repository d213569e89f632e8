"""What one branch of a module makes of a window, before the other branch has a part in it."""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.data.feeds import Feed
from trainer.net import DimpNet, TrackingNet
from trainer.net.backbone import Features
from trainer.recipes.recipe import Branch, Module


def branch_output(net: TrackingNet, module: Module, branch: Branch, features: Features, feed: Feed) -> Tensor:
    """The output of a branch, one row a sample.

    Args:
        net: the network.
        module: ``bbe`` or ``tcl``.
        branch: ``reference`` or ``test``.
        features: backbone features of that branch's windows.
        feed: where the target is in them.

    Returns:
        (R, N) float32: of the IoU-net the two modulation vectors, or all features of the test branch; of the classifier
        the initial and the final filter, or all classification features.
    """
    if module == "bbe":
        made = net.modulation(features, feed.reference_box) if branch == "reference" else net.iou_features(features)
        return torch.cat([each.flatten(1) for each in made], dim=1).float()
    if not isinstance(net, DimpNet):
        raise TypeError("this base tracker has no classifier that is trained offline")
    maps = net.classification_features(features)
    if branch == "test":
        return maps.flatten(1).float()
    filters = net.predict_filter(maps, feed.reference_box[None]).filters
    return torch.cat([filters[0].flatten(1), filters[-1].flatten(1)], dim=1).float()
