"""How the branches of NanoTrack answer one another: two halves of a head, each comparing template and window."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from trainer.data.feeds import Feed
from trainer.distillation.responses import Given, Responses, Sides
from trainer.net.nano import NanoNet, points
from trainer.net.nano.grid import SEARCH_CELLS
from trainer.net.nano.head import MAPS
from trainer.net.nano.network import Half
from trainer.recipes.recipe import Branch, Module

PIXEL_CENTRE = 0.5
"""From a box's edges, as boxes are told here, to the coordinates of pixel centres, in which points are told."""


class PointResponses(Responses):
    """NanoTrack's. The half that classifies is the TCL module, the one that tells boxes the BBE module."""

    state_maps = (MAPS, SEARCH_CELLS)

    def tcl(self, sides: Sides, feed: Feed) -> Given:
        """The template's map is compared with the search window's, and every point says whether it is on the target.

        In the words of Eq. 2 that map is the filter phi, and the probability of the target is the response.
        """
        answering: Half = sides.answering.half_of("tcl")
        template: Tensor = sides.asking.half_of("tcl").template(sides.reference)
        logits = functools.cache(
            lambda: answering.predict(answering.correlate(template, answering.search(sides.test))).float()
        )

        def probability() -> Tensor:
            return logits().softmax(dim=1)[None, None, :, 1]

        def filters() -> Tensor:
            return template.float()[None]

        return {
            "logits": logits,
            "cells": lambda: _labelled(feed),
            "scores": probability,
            "filters": filters,
            "end_scores": probability,
            "end_filters": filters,
            "label": lambda: feed.by_image(feed.label),
        }

    def bbe(self, sides: Sides, feed: Feed) -> Given:
        """The box half likewise: every point says how far the sides of the target's box are from it.

        The left factor of Eq. 3 is the maps of the comparison, each of them weighed.
        """
        answering: Half = sides.answering.half_of("bbe")
        template: Tensor = sides.asking.half_of("bbe").template(sides.reference)
        modulated = functools.cache(lambda: answering.correlate(template, answering.search(sides.test)))
        return {
            "distances": lambda: answering.predict(modulated()).float(),
            "wanted": lambda: distances_to(feed.test_box),
            "cells": lambda: _labelled(feed),
            "sure": lambda: sides.answering.classify(sides.reference, sides.test).float().softmax(dim=1)[:, 1],
            "modulated": lambda: (modulated(),),
        }

    def output(self, net: NanoNet, module: Module, branch: Branch, features: Tensor, _feed: Feed) -> Tensor:
        """The map of the template, or that of the search window, flat."""
        half = net.half_of("tcl" if module == "tcl" else "bbe")
        maps = half.template(features) if branch == "reference" else half.search(features)
        return maps.flatten(1).float()

    def run(self, net: NanoNet, feed: Feed) -> None:
        """See :meth:`~trainer.distillation.responses.Responses.run`; the backbone sees the two sizes one by one."""
        net(net.images(feed.reference), net.images(feed.test))


def distances_to(boxes: Tensor) -> Tensor:
    """From every point to the sides of a box.

    Args:
        boxes: (N, 4) x, y, w, h in pixels of the search window, pixel edges.

    Returns:
        (N, 4, h, w): to the left, top, right and bottom; below 0 where the point is beyond that side.
    """
    at = points().to(boxes)
    first = boxes[:, :2, None, None] - PIXEL_CENTRE
    return torch.cat([at - first, first + boxes[:, 2:, None, None] - at], dim=1)


def _labelled(feed: Feed) -> Tensor:
    if feed.cells is None:
        raise ValueError("a loss that looks at labelled points needs windows that label them")
    return feed.cells
