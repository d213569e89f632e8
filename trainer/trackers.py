"""What each base tracker fixes: window, jitter, proposals and loss weights (parity description, sections 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.labels import LABEL_KERNEL, LABEL_STRIDE

TrackerName = Literal["dimp18", "dimp50", "superdimp", "atom"]


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
        flip: probability of flipping both views.
        classifier: whether it has a classifier that is trained offline.
    """

    size: int
    factor: float
    crop: Literal["replicate", "inside_major", "centred"]
    centre_jitter: tuple[float, float]
    scale_jitter: tuple[float, float]
    proposals: int
    mixture: bool = False
    flip: float = 0.0
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


_DIMP = TrackerSpec(288, 5.0, "replicate", (3.0, 4.5), (0.25, 0.5), 8)
TRACKERS: dict[str, TrackerSpec] = {
    "dimp18": _DIMP,
    "dimp50": _DIMP,
    "superdimp": TrackerSpec(352, 6.0, "inside_major", (3.0, 5.5), (0.25, 0.5), 128, mixture=True, flip=0.5),
    "atom": TrackerSpec(288, 5.0, "centred", (0.0, 4.5), (0.0, 0.5), 16, classifier=False),
}
