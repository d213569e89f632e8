"""The centre of what both cameras see (section 3.2 of the CMD paper)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.mine.methods.base import Method, PairView
from pipeline.mine.proposals import Proposal
from pipeline.mine.settings import FOLLOWING


class Center(Method):
    """The centre square of the common area; its side is a share of the short side."""

    uses: ClassVar[frozenset[str]] = frozenset({"center_fraction"})
    tube_uses: ClassVar[frozenset[str]] = uses | FOLLOWING
    regions: ClassVar[int] = 1

    def derive(self, pair: PairView) -> list[Proposal]:
        """One box, or none where the square would be smaller than a pixel."""
        area = pair.common
        side = self.settings.center_fraction * min(area[2:])
        middle = area[:2] + area[2:] / 2
        return [Proposal(np.array([*(middle - side / 2), side, side]))] if side >= 1 else []

    def starts(self, pair: PairView) -> Iterator[NDArray[np.float64]]:
        """The one box from which a region is followed."""
        return (proposal.box for proposal in self.derive(pair))
