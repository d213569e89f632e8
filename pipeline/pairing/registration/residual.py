"""What a matrix leaves over: the displacement that each block of a pair still shows after alignment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.images import Rgb, Tir
from pipeline.pairing.registration import fit
from pipeline.pairing.registration.evidence import Evidence
from pipeline.pairing.registration.register import POLISH

Array = NDArray[np.float64]

WINDOW = 3.0
"""Standard deviation, in pixels of the level, of the Gaussian around zero within which a displacement is looked for."""


def residual_field(rgb: Rgb, tir: Tir, homography: Array) -> tuple[Array, Array, Array]:
    """Residual displacement of the blocks of a pair under a known matrix.

    Args:
        rgb: (H, W, 3) uint8.
        tir: (h, w) uint8.
        homography: (3, 3) TIR -> RGB, pixel centres.

    Returns:
        ``centres`` (n, 2) of the blocks and ``vectors`` (n, 2), both in RGB pixels: content that the matrix puts at a
        centre is seen in the RGB picture at centre + vector; and ``weights`` (n,), 0 to 1: how well the block
        determines its vector. A block without structure has a vector near zero and a weight near zero.
    """
    evidence = Evidence([(rgb, tir)], homography)
    surfaces = evidence.pooled(np.eye(3), POLISH)[0]
    mean, precision = fit.localise(fit.likelihood(surfaces, POLISH.gain), np.zeros_like(surfaces.centres), WINDOW)
    seen = np.linalg.inv(precision + np.eye(2) / WINDOW**2)
    vectors = np.einsum("nij,njk,nk->ni", seen, precision, mean)
    unsure = np.trace(seen, axis1=1, axis2=2) / (2 * WINDOW**2)
    pixel = POLISH.step / evidence.scale
    return (surfaces.centres + 0.5) * pixel - 0.5, vectors * pixel, np.clip(1 - unsure, 0, 1) * surfaces.weights
