"""What a tracker parameter may be: numbers in their ranges, lists, and the table of first-frame views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass


def _listed(value: Any) -> Any:
    """What an array or tensor holds: parameter files write ``torch.ones(1)``."""
    tolist: Callable[[], Any] | None = getattr(value, "tolist", None)
    return tolist() if tolist else value


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("give an odd number")
    return value


Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Steps = Annotated[int, Field(ge=0)]
Odd = Annotated[int, Field(ge=1), AfterValidator(_odd)]
Scales = Annotated[tuple[Positive, ...], BeforeValidator(_listed), Field(min_length=1)]
Activation = Literal["none", "relu", "elu"] | tuple[Literal["mlu"], Positive]
"""A name, or ``mlu`` with its parameter."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Augmentation:
    """First-frame views beside the untouched one, in the order in which they are made.

    Attributes:
        shift: (rows, columns) in window pixels.
        relativeshift: (rows, columns) in half search windows.
        fliplr: left for right.
        blur: standard deviation of a Gaussian in window pixels, or (along rows, along columns).
        scale: factors by which the content shrinks.
        rotate: degrees.
        dropout: copies, and probability with which each of their channels is switched off.
    """

    shift: tuple[tuple[Number, Number], ...] = ()
    relativeshift: tuple[tuple[Number, Number], ...] = ()
    fliplr: bool = False
    blur: tuple[Positive | tuple[Positive, Positive], ...] = ()
    scale: tuple[Positive, ...] = ()
    rotate: tuple[Number, ...] = ()
    dropout: tuple[Steps, Annotated[float, Field(ge=0, lt=1)]] = (0, 0.0)
