"""What each base tracker fixes: window, jitter, proposals, its own rates (pytracking's ltr.train_settings)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator

from pipeline.labels import LABEL_KERNEL, LABEL_STRIDE
from trainer.base_trackers import base_tracker
from trainer.recipes.families import PROPOSALS, Family

Takes = Mapping[str, Collection[str]]
"""``tcl`` and ``bbe`` -> what the loss of that module takes, by name."""
BACKBONE_LAYERS = ("conv1", "bn1", "layer1", "layer2", "layer3")
"""What of a ResNet runs; layer4 and fc are carried along."""


@dataclass(frozen=True, kw_only=True)
class TrackerSpec(ABC):
    """Training geometry of one base tracker; each kind has more of it.

    Attributes:
        family: the kind that it is of.
        several: whether a branch can be shown several images at once.
        size: side of the square search window, pixels.
        classifier: whether it has a classifier that is trained offline.
        batch: pairs a step, in the rows of Table 1.
        backbone_layers: what of the backbone runs, within the network's ``backbone``.
        shared: whether the classifier's branches share features, which a row of one branch may train.
        flip: probability of flipping all windows of a draw.
        window_flip: probability of flipping a window once more, by itself (SuperDiMP).
        foreign: probability that the reference window is of another scene than the test window, in a run whose losses
            know what to ask then.
        images: that each branch was trained on at once.
        gap: frames between the base frame and another instant of a draw, at most.
        pretrain_batch: sequences a step that it was trained with itself.
        pretrain_least: sequences a step at least, where its batch-norms learn.
        pretrain_samples: sequences an epoch, likewise.
        pretrain_gamma: the rates were multiplied by it every 15 epochs.
        pretrain_rates: learning rates that it was trained with, by module; one that is not named stayed as it was. The
            classifier's is that of its features and its initial filter.
        pretrain_optimizer: the filter optimiser's rate, in units of the classifier's; None where it has none.
        pretrain_frozen: layers of its backbone that stayed as they were, statistics of batch-norms included: those
            of pytracking's ``frozen_backbone_layers``, which ``Backbone.train`` of its ltr/models/backbone/base.py puts
            into inference mode. ATOM names none: its backbone has no rate, but its statistics moved.
    """

    family: ClassVar[Family]
    several: ClassVar[bool] = True
    size: int
    classifier: bool = True
    batch: int = 5
    backbone_layers: tuple[str, ...] = BACKBONE_LAYERS
    shared: bool = True
    flip: float = 0.0
    window_flip: float = 0.0
    foreign: float = 0.0
    images: int = 3
    gap: int = 30
    pretrain_batch: int
    pretrain_least: int = 8
    pretrain_rates: Mapping[str, float]
    pretrain_samples: int = 26_000
    pretrain_gamma: float = 0.2
    pretrain_optimizer: float | None = 10.0
    pretrain_frozen: tuple[str, ...] = ()

    @property
    def sizes(self) -> tuple[int, int]:
        """Side of the (reference, test) window, pixels."""
        return self.size, self.size

    @property
    @abstractmethod
    def moved(self) -> tuple[bool, bool]:
        """Whether jitter moves the target out of the middle of the (reference, test) window."""

    @property
    @abstractmethod
    def boxes_wide(self) -> float:
        """Side of the search window over the geometric mean side of a square box."""

    @property
    @abstractmethod
    def grid(self) -> tuple[float, float]:
        """Pixel of the search window at which the label's first cell lies, and pixels from one cell to the next."""

    @property
    @abstractmethod
    def own_losses(self) -> tuple[str, str]:
        """The classification and the box loss that it was trained with itself."""

    @abstractmethod
    def taught(self, modules: Collection[str], takes: Takes, *, nearest: bool, foreign: float | None) -> Self:
        """This geometry with the targets that the losses of a run ask for.

        Args:
            modules: that are trained.
            takes: what the losses take.
            nearest: whether a target too thin for a point gets the nearest one (NanoTrack).
            foreign: :attr:`foreign` where it may be; None is the base tracker's own.
        """

    @abstractmethod
    def in_window(self, size: int) -> Self:
        """This geometry with search windows of another side, pixels.

        Raises:
            UsageError: it has windows of one size alone.
        """


@dataclass(frozen=True, kw_only=True)
class SearchSpec(TrackerSpec):
    """Training geometry of DiMP and ATOM: the windows of both branches are alike, boxes are proposed.

    Attributes:
        factor: side of the window over the box's geometric mean side.
        crop: ``replicate`` pads what the picture lacks; ``inside_major`` first shrinks the window, by at most 1.5;
            ``centred`` (ATOM) never shifts the window inwards.
        centre_jitter: in units of the box's geometric mean side, for the (reference, test) branch.
        scale_jitter: standard deviation of the log of each side, likewise.
        proposals: boxes around the target that the IoU-net is asked about.
        mixture: proposals come from a Gaussian mixture with densities (SuperDiMP) instead of perturbed boxes.
    """

    family: ClassVar[Family] = PROPOSALS
    factor: float
    crop: Literal["replicate", "inside_major", "centred"]
    centre_jitter: tuple[float, float]
    scale_jitter: tuple[float, float]
    proposals: int
    mixture: bool = False

    @property
    def moved(self) -> tuple[bool, bool]:
        """See :attr:`TrackerSpec.moved`: ATOM's reference branch is told its box."""
        reference, test = self.centre_jitter
        return reference > 0, test > 0

    @property
    def boxes_wide(self) -> float:
        """See :attr:`TrackerSpec.boxes_wide`."""
        return self.factor

    @property
    def cells(self) -> int:
        """Cells of the feature map a side."""
        return self.size // LABEL_STRIDE

    @property
    def grid(self) -> tuple[float, float]:
        """See :attr:`TrackerSpec.grid`."""
        return 0.0, self.size / self.cells

    @property
    def scores(self) -> int:
        """Cells of the score map a side."""
        return self.cells + (LABEL_KERNEL + 1) % 2

    @property
    def sigma_factor(self) -> float:
        """Label width as a share of the feature map."""
        return 0.25 / self.factor

    @property
    def own_losses(self) -> tuple[str, str]:
        """See :attr:`TrackerSpec.own_losses`."""
        return "lbhinge", "kl" if self.mixture else "iou"

    def taught(self, modules: Collection[str], takes: Takes, *, nearest: bool, foreign: float | None) -> Self:
        """See :meth:`TrackerSpec.taught`: proposals come from a mixture where the loss needs their densities."""
        return replace(self, mixture=not {"sample_density", "truth_density"}.isdisjoint(takes["bbe"]))

    def in_window(self, size: int) -> Self:
        """See :meth:`TrackerSpec.in_window`: everything else is in boxes, or follows."""
        return replace(self, size=size)


DIMP18 = SearchSpec(
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
        UsageError: it has windows of one size alone.
    """
    spec: TrackerSpec = base_tracker(tracker).load("geometry")
    return spec.in_window(window) if window and window != spec.size else spec


def _known(tracker: str) -> str:
    base_tracker(tracker)
    return tracker


TrackerName = Annotated[str, AfterValidator(_known)]
"""A base tracker's name, in settings."""
