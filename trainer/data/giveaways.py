"""What gives a target away to who does not look at it: the middle of the window, and the borders that the window shows.

A search window around a large box reaches beyond the picture and is pulled back, so that the target lies in its middle
whatever the jitter was; and edges of the picture or of the thermal footprint tell position and scale. A network that
learns from such windows learns that, and nothing of targets.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import iou
from pipeline.labels import LABEL_STRIDE
from pipeline.shards.index import ShardIndex
from trainer.data.dataset import PairDataset
from trainer.data.training_data import TrainingData
from trainer.data.views.search_windows import Box, Framed

log = logging.getLogger(__name__)

DRAWS = 1000
"""Draws that are measured, from the first of a run on."""
MIDDLE, BORDERS = 0.25, 0.5
"""Share of targets in the middle, and mean IoU of the borders' box, above which a warning says so."""
CENTER_FRACTION = 0.125
"""What the remedy names for centre squares: the default of ``mine``, which the trainer does not know."""


@dataclass(frozen=True)
class Prior:
    """What is known of targets before a window is seen: medians over training windows.

    Attributes:
        share: (4,) the target's cx, cy, w, h in units of the common area, from its top left.
        aspect: width of the common area over its height.
        middle: (4,) the target's cx, cy, w, h in its window, pixels.
    """

    share: NDArray[np.float64]
    aspect: float
    middle: NDArray[np.float64]

    @classmethod
    def of(cls, framed: Sequence[Framed]) -> Prior:
        """The medians of some windows."""
        box, area = (np.array([getattr(each, name) for each in framed]) for name in ("box", "area"))
        middle = np.concatenate([box[:, :2] + box[:, 2:] / 2, box[:, 2:]], axis=1)
        extent = np.maximum(area[:, 2:], 1e-9)
        share = np.concatenate([(middle[:, :2] - area[:, :2]) / extent, box[:, 2:] / extent], axis=1)
        aspect = float(np.median(extent[:, 0] / extent[:, 1]))
        return cls(np.median(share, axis=0), aspect, np.median(middle, axis=0))


@dataclass(frozen=True)
class Giveaway:
    """How well the targets of one branch's windows are known without a look at them.

    Attributes:
        middle: share of targets whose centre lies within half a cell of the window's middle, on both axes.
        borders_iou: mean IoU of :func:`borders_box` with the target.
    """

    middle: float
    borders_iou: float


def borders_box(area: Box, size: int, prior: Prior) -> Box:
    """The target's box as the edges of what both cameras see give it: the best guess of who sees nothing else.

    An axis of which the window shows both edges tells position and scale. The scale holds for the other axis as well,
    as the area's shape is known. An axis with one edge gets its position from that; its scale, where the other axis
    tells none, is that of the median window: the shorter the distance to the edge, the less a wrong scale costs. An
    axis without an edge gets the median position. Where no scale is told, sides are those of the median box. An edge
    within a pixel of the window's is not seen.

    Args:
        area: (4,) x, y, w, h of what both cameras see, in pixels of the window, out of which it may stick.
        size: side of the window, pixels.
        prior: what is known before.

    Returns:
        (4,) x, y, w, h in pixels of the window.
    """
    low, high = area[:2], area[:2] + area[2:]
    low_seen, high_seen = ((edge >= 1) & (edge <= size - 1) for edge in (low, high))
    told = low_seen & high_seen
    from_other = area[:1:-1] * (prior.aspect, 1 / prior.aspect)
    length = np.where(told, area[2:], np.where(told[::-1], from_other, prior.middle[2:] / prior.share[2:]))
    from_low, from_high = low + prior.share[:2] * length, high - (1 - prior.share[:2]) * length
    centre = np.where(low_seen, from_low, np.where(high_seen, from_high, prior.middle[:2]))
    sides = prior.share[2:] * length
    return np.concatenate([centre - sides / 2, sides])


def measure(windows: PairDataset, draws: int) -> dict[str, Giveaway]:
    """How much windows give away, by branch; nothing is decoded.

    Args:
        windows: of a run; their first draws are measured, from one epoch into the next where it has fewer.
        draws: how many.
    """
    seen = [windows.framed(index) for index in range(draws)]
    for reader in windows.source.readers:
        reader.close()
    found = {}
    for branch, (name, size) in enumerate(zip(("reference", "test"), windows.spec.sizes)):
        framed = [both[branch] for both in seen]
        box, prior = np.array([each.box for each in framed]), Prior.of(framed)
        off = np.abs(box[:, :2] + box[:, 2:] / 2 - size / 2).max(axis=1)
        guessed = np.array([borders_box(each.area, size, prior) for each in framed])
        found[name] = Giveaway(float((off <= LABEL_STRIDE / 2).mean()), float(iou(guessed, box).mean()))
    return found


def check(data: TrainingData) -> dict[str, Giveaway]:
    """Measure the windows of a run and warn, in one line, where they give their targets away.

    A branch whose windows are not moved shows its target in the middle by design, and nothing is said of it: of ATOM's
    reference branch, which is told its box, of NanoTrack's templates, and of all under ``jitter: none``, of which a
    warning is given.

    Returns:
        Both figures by branch.
    """
    found = measure(data.training_windows(), DRAWS)
    jittered = [
        each for each, moved in zip(found.items(), data.spec.moved) if moved and data.settings.jitter == "tracker"
    ]
    if given := [(n, g) for n, g in jittered if g.middle > MIDDLE or g.borders_iou > BORDERS]:
        told = "; ".join(f"{name}: {tell(giveaway)}" for name, giveaway in given)
        remedies = dict.fromkeys(remedy(index, data.spec.boxes_wide) for index in data.source.indexes)
        log.warning("windows give their targets away without a look at them (%s): %s", told, ", or ".join(remedies))
    return found


def tell(giveaway: Giveaway) -> str:
    """Both figures as people read them."""
    return f"{giveaway.middle:.0%} in the middle, borders alone give the box to IoU {giveaway.borders_iou:.2f}"


def remedy(index: ShardIndex, factor: float) -> str:
    """How shards with smaller targets are mined, by the method of those that are there."""
    method, settings = index.method, index.settings
    if method == "center":
        now = float(settings.get("center_fraction", 1))
        smaller = CENTER_FRACTION if now > CENTER_FRACTION else now / 2
        return f"mine again with --center-fraction {smaller:g}"
    if method == "random":
        return f"mine again with a --fraction under {settings.get('fraction', 1):.3g}"
    if method == "detection":
        return f"mine again with a --max-size under 1/{factor:g} of the picture's short side"
    return f"mine smaller boxes than {method} did"
