"""What NanoTrack fixes: its windows, its jitter, its labels, its own rates (its authors' V2 configuration)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from pipeline.errors import UsageError
from trainer.recipes.families import POINTS, Family
from trainer.recipes.geometry import Takes, TrackerSpec


@dataclass(frozen=True, kw_only=True)
class PointSpec(TrackerSpec):
    """Training geometry of a siamese tracker: a template and a larger search window, in which points tell boxes.

    Attributes:
        template: side of the square reference window, pixels.
        stride: pixels between two points.
        context: share of the mean side by which the target's box is widened and heightened before its hull, a square
            of the same area, is shown as the template.
        shift: how far a window is moved at most, its own pixels, for the (reference, test) branch; uniform.
        stretch: by what share each side of it is made longer or shorter at most, likewise.
        other_scenes: share of the draws in which the template is of another scene, where losses know what to ask then.
        positives: points of a window at most that are to find the target.
        negatives: points at most that are not.
        nearest: whether a target so thin that no point lies well inside has the nearest one instead of none.
    """

    family: ClassVar[Family] = POINTS
    several: ClassVar[bool] = False
    template: int
    stride: int
    context: float
    shift: tuple[float, float]
    stretch: tuple[float, float]
    other_scenes: float
    positives: int
    negatives: int
    nearest: bool = True

    @property
    def cells(self) -> int:
        """Points a side."""
        return (self.size + 1) // self.stride

    @property
    def sizes(self) -> tuple[int, int]:
        """See :attr:`TrackerSpec.sizes`."""
        return self.template, self.size

    @property
    def moved(self) -> tuple[bool, bool]:
        """See :attr:`TrackerSpec.moved`: a template shows its target in the middle."""
        return False, True

    @property
    def boxes_wide(self) -> float:
        """See :attr:`TrackerSpec.boxes_wide`."""
        return self.size / self.template * (1 + 2 * self.context)

    @property
    def grid(self) -> tuple[float, float]:
        """See :attr:`TrackerSpec.grid`: the middle one of an odd number of pixels has a point."""
        return float(self.size // 2 - self.cells // 2 * self.stride), float(self.stride)

    @property
    def own_losses(self) -> tuple[str, str]:
        """See :attr:`TrackerSpec.own_losses`."""
        return "cross_entropy", "iou"

    def taught(self, modules: Collection[str], takes: Takes, *, nearest: bool, foreign: float | None) -> Self:
        """See :meth:`TrackerSpec.taught`: templates of other scenes are for losses that look at labelled points alone.

        Psi of Eq. 3 would be asked for the state of a target that its template does not show.
        """
        taken = [takes[module] for module in modules if module in takes]
        fit = "tcl" in modules and all("cells" in names and "predicted_state" not in names for names in taken)
        asked = self.other_scenes if foreign is None else foreign
        return replace(self, nearest=nearest, foreign=asked if fit else 0.0)

    def in_window(self, size: int) -> Self:
        """See :meth:`TrackerSpec.in_window`."""
        raise UsageError(f"--window {size}: NanoTrack's points are those of a window of {self.size} px: leave it out")


NANOTRACK_V2 = PointSpec(
    size=255,
    template=127,
    stride=16,
    context=0.5,
    shift=(4.0, 64.0),
    stretch=(0.05, 0.18),
    positives=16,
    negatives=48,
    batch=32,
    backbone_layers=("features",),
    shared=False,
    other_scenes=0.2,
    images=1,
    gap=100,
    pretrain_batch=32,
    pretrain_least=2,
    pretrain_samples=400_000,
    pretrain_gamma=0.1 ** (1 / 3),
    pretrain_rates={"tcl": 5e-3, "bbe": 5e-3},
    pretrain_optimizer=None,
    pretrain_frozen=("features",),
)
