"""Batch-norms folded into the convolutions and linear layers before them: the same function, fewer passes over memory.

For networks in eval mode that are not trained any more.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval


def fold_batch_norms(net: nn.Module) -> None:
    """Fold, in place, every batch-norm of a network of this project into the layer that stands before it.

    A batch-norm follows a layer of its own in all of them, in the module that holds both and there in the next place.
    """
    for module in list(net.modules()):
        for (before, layer), (name, norm) in pairwise(list(module.named_children())):
            if not isinstance(norm, nn.BatchNorm2d):
                continue
            if isinstance(layer, nn.Conv2d):
                setattr(module, before, fuse_conv_bn_eval(layer, norm))
            elif isinstance(layer, nn.Linear):
                setattr(module, before, fuse_linear_bn_eval(layer, cast(nn.BatchNorm1d, norm)))
            else:
                continue
            setattr(module, name, nn.Identity())
