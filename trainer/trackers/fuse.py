"""Batch-norms folded into the convolutions and linear layers before them: the same function, fewer passes over memory.

For networks in eval mode that are not trained any more.
"""

from __future__ import annotations

from typing import cast

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from trainer.net.base import BranchedNet

_FOLDED = {"bn1": "conv1", "bn2": "conv2", "bn3": "conv3", "bn": "linear", "1": "0"}
"""Names of a batch-norm and of the layer before it, within one module of the networks."""


def fold_batch_norms(net: BranchedNet) -> None:
    """Fold, in place, every batch-norm of a network of this project that directly follows a layer of its own."""
    for module in list(net.modules()):
        for name, before in _FOLDED.items():
            norm, layer = module._modules.get(name), module._modules.get(before)
            if not isinstance(norm, nn.BatchNorm2d):
                continue
            if isinstance(layer, nn.Conv2d):
                setattr(module, before, fuse_conv_bn_eval(layer, norm))
            elif isinstance(layer, nn.Linear):
                setattr(module, before, fuse_linear_bn_eval(layer, cast(nn.BatchNorm1d, norm)))
            else:
                continue
            setattr(module, name, nn.Identity())
