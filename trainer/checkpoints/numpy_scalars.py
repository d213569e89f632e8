"""NumPy's scalars in files of ``torch.save``, as plain numbers: statistics of other trainers hold them.

Neither function of NumPy that such a file names is called: they make objects of any type. The two here stand in for
them, know numbers alone, and read these from their bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

_NUMBERS = re.compile(r"b1|[iu][1248]|f[248]", re.ASCII)
_ORDERS = ("<", ">", "=", "|")


class ForeignScalarError(ValueError):
    """A value of NumPy that is no plain number."""


class _NumberType:
    """In the place of ``numpy.dtype``: the type of a number, as a pickle describes it."""

    def __init__(self, code: object, *_flags: object) -> None:
        if not isinstance(code, str) or not _NUMBERS.fullmatch(code):
            raise ForeignScalarError(f"a value of NumPy's type {str(code)[:20]!r}")
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple[object, ...]) -> None:
        # (version, byte order, and what only composed types have)
        order = state[1]
        if not isinstance(order, str) or order not in _ORDERS:
            raise ForeignScalarError(f"a value of NumPy's byte order {str(order)[:20]!r}")
        self.order = order


def _number(kind: object, data: object) -> bool | int | float:
    """In the place of ``numpy.core.multiarray.scalar``: a number from its bytes."""
    if not isinstance(kind, _NumberType) or not isinstance(data, bytes):
        raise ForeignScalarError("a value of NumPy that is no number")
    dtype = np.dtype(kind.order + kind.code)
    if len(data) != dtype.itemsize:
        raise ForeignScalarError(f"a value of NumPy's type {kind.code} in {len(data)} bytes")
    number: bool | int | float = np.frombuffer(data, dtype).item()
    return number


STAND_INS: list[tuple[Callable[..., object], str]] = [
    (_NumberType, "numpy.dtype"),
    (_number, "numpy.core.multiarray.scalar"),
    (_number, "numpy._core.multiarray.scalar"),
]
"""What stands in for what a file names, under NumPy 1's name and NumPy 2's."""
