"""What the surfaces say of a matrix: where they are read, and what is read from them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.pairing.registration.blocks import Surfaces
from pipeline.pairing.registration.measure import recentred, surface_scores

REACH = 5


def peaked(*peaks: tuple[float, float]) -> Surfaces:
    """Surfaces with their peaks at displacements x, y, of equal weight."""
    axis = np.arange(-REACH, REACH + 1)
    values = [np.exp(-0.5 * ((axis - x) ** 2 + (axis[:, None] - y) ** 2)) for x, y in peaks]
    return Surfaces(np.zeros((len(peaks), 2)), np.array(values, np.float32), np.ones(len(peaks)))


def test_surfaces_are_read_between_samples_and_their_rim_lasts_beyond_it() -> None:
    axis = np.arange(-REACH, REACH + 1)
    slope = 0.01 * axis + 0.05 * axis[:, None]
    surfaces = Surfaces(np.zeros((2, 2)), np.stack([slope, slope]).astype(np.float32), np.ones(2))
    found = recentred(surfaces, np.array([[0.25, -1.5], [3.0, 0.0]]), 3)
    near = np.arange(-3, 4)
    assert np.allclose(found[0], 0.01 * (near + 0.25) + 0.05 * (near[:, None] - 1.5), atol=1e-6)
    assert np.allclose(found[1], 0.01 * np.minimum(near + 3, REACH) + 0.05 * near[:, None], atol=1e-6)


@pytest.mark.parametrize(("off", "share"), [((0.0, 0.0), 2 / 3), ((3.0, 0.0), 1 / 3), ((0.0, -3.0), 0.0)])
def test_agreement_is_the_share_of_blocks_whose_peak_is_the_matrix_s(off: tuple[float, float], share: float) -> None:
    surfaces = peaked((0, 0), (1, 0), (3, 0))
    assert surface_scores(surfaces, np.tile(off, (3, 1)))["agreement"] == pytest.approx(share)
