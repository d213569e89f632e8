"""What the parameters of every tracker have, whichever they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

CONFIG = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class TrackingParams(ABC):
    """How a tracker tracks; each kind of tracker has fields of its own.

    Attributes:
        inert: names that parameter files of the tracker's authors hold and that change no box: accepted, without
            effect, where they are no field.
        refused: why other names that those files know are not supported.
    """

    inert: ClassVar[frozenset[str]] = frozenset()
    refused: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @abstractmethod
    def in_window(self, side: int) -> dict[str, Any]:
        """The parameters, by name, under which the search window has a side of so many network pixels.

        Args:
            side: a multiple of the stride.

        Raises:
            ValueError: the tracker has windows of one size alone.
        """
