"""What each base tracker fixes: window, jitter, proposals, its own rates (pytracking's ltr.train_settings)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import AfterValidator

from pipeline.labels import LABEL_KERNEL, LABEL_STRIDE
from trainer.base_trackers import base_tracker

BACKBONE_LAYERS = ("conv1", "bn1", "layer1", "layer2", "layer3")
"""What of the backbone runs; layer4 and fc are carried along."""


@dataclass(frozen=True)
class TrackerSpec:
    """Training geometry of one base tracker.

    Attributes:
        size: side of the square search window, pixels.
        factor: side of the window over the box's geometric mean side.
        crop: ``replicate`` pads what the picture lacks; ``inside_major`` first shrinks the window, by at most 1.5;
            ``centred`` (ATOM) never shifts the window inwards.
        centre_jitter: in units of the box's geometric mean side, for the (reference, test) branch.
        scale_jitter: standard deviation of the log of each side, likewise.
        proposals: boxes around the target that the IoU-net is asked about.
        mixture: proposals come from a Gaussian mixture with densities (SuperDiMP) instead of perturbed boxes.
        flip: probability of flipping all windows of a draw.
        window_flip: probability of flipping a window once more, by itself (SuperDiMP).
        images: that each branch was trained on at once.
        gap: frames between the base frame and another instant of a draw, at most.
        classifier: whether it has a classifier that is trained offline.
        pretrain_batch: sequences a step that it was trained with itself.
        pretrain_samples: sequences an epoch, likewise.
        pretrain_gamma: the rates were multiplied by it every 15 epochs.
        pretrain_rates: learning rates that it was trained with, by module; one that is not named stayed as it was. The
            classifier's is that of its features and its initial filter.
        pretrain_optimizer: the filter optimiser's rate, in units of the classifier's.
        pretrain_frozen: layers of its backbone that stayed as they were, statistics of batch-norms included: those
            of pytracking's ``frozen_backbone_layers``, which ``Backbone.train`` of its ltr/models/backbone/base.py puts
            into inference mode. ATOM names none: its backbone has no rate, but its statistics moved.
    """

    size: int
    factor: float
    crop: Literal["replicate", "inside_major", "centred"]
    centre_jitter: tuple[float, float]
    scale_jitter: tuple[float, float]
    proposals: int
    pretrain_batch: int
    pretrain_rates: Mapping[str, float]
    pretrain_samples: int = 26_000
    pretrain_gamma: float = 0.2
    pretrain_optimizer: float = 10.0
    pretrain_frozen: tuple[str, ...] = ()
    mixture: bool = False
    flip: float = 0.0
    window_flip: float = 0.0
    images: int = 3
    gap: int = 30
    classifier: bool = True

    @property
    def cells(self) -> int:
        """Cells of the feature map a side."""
        return self.size // LABEL_STRIDE

    @property
    def scores(self) -> int:
        """Cells of the score map a side."""
        return self.cells + (LABEL_KERNEL + 1) % 2

    @property
    def sigma_factor(self) -> float:
        """Label width as a share of the feature map."""
        return 0.25 / self.factor


DIMP18 = TrackerSpec(
    size=288,
    factor=5.0,
    crop="replicate",
    centre_jitter=(3.0, 4.5),
    scale_jitter=(0.25, 0.5),
    proposals=8,
    pretrain_batch=26,
    pretrain_rates={"tcl": 5e-5, "bbe": 1e-3, "backbone": 2e-4},
)
DIMP50 = replace(DIMP18, pretrain_batch=10, pretrain_rates={"tcl": 5e-5, "bbe": 2e-4, "backbone": 2e-5})
SUPERDIMP = replace(
    DIMP18,
    size=352,
    factor=6.0,
    crop="inside_major",
    centre_jitter=(3.0, 5.5),
    proposals=128,
    pretrain_batch=20,
    pretrain_samples=40_000,
    pretrain_frozen=("conv1", "bn1", "layer1", "layer2"),
    pretrain_rates={"tcl": 5e-5, "bbe": 1e-3, "backbone": 2e-5},
    mixture=True,
    flip=0.5,
    window_flip=0.5,
    gap=200,
)
ATOM = replace(
    DIMP18,
    crop="centred",
    centre_jitter=(0.0, 4.5),
    scale_jitter=(0.0, 0.5),
    proposals=16,
    pretrain_batch=64,
    pretrain_samples=64_000,
    pretrain_rates={"bbe": 1e-3},
    classifier=False,
    images=1,
    gap=50,
)


def geometry_of(tracker: str, window: int | None = None) -> TrackerSpec:
    """The geometry of a base tracker.

    Args:
        tracker: its name.
        window: side of the search window in pixels; None is the tracker's own. Everything else is in boxes, or follows.

    Raises:
        ValueError: no such tracker.
    """
    spec: TrackerSpec = base_tracker(tracker).load("geometry")
    return replace(spec, size=window) if window else spec


def _known(tracker: str) -> str:
    base_tracker(tracker)
    return tracker


TrackerName = Annotated[str, AfterValidator(_known)]
"""A base tracker's name, in settings."""
