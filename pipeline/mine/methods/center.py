"""The centre of what both cameras see (section 3.2 of the CMD paper)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pipeline.mine.methods.base import Method, PairView
from pipeline.mine.proposals import Proposal


class Center(Method):
    """The centre square of the common area; its side is a share of the short side."""

    uses: ClassVar[frozenset[str]] = frozenset({"center_fraction"})

    def derive(self, pair: PairView) -> list[Proposal]:
        """One box, or none where the square would be smaller than a pixel."""
        area = pair.common
        side = self.settings.center_fraction * min(area[2:])
        middle = area[:2] + area[2:] / 2
        return [Proposal(np.array([*(middle - side / 2), side, side]))] if side >= 1 else []
