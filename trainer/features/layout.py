"""What the features of one window are as bytes: its maps one after another, all of known shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.errors import DataError


@dataclass(frozen=True)
class Layout:
    """The maps of windows of one size.

    Attributes:
        shapes: by name, (C, H, W) of each.
        computed: the type in which the backbone gives them.
        kept: the type in which they are kept.
    """

    shapes: Mapping[str, tuple[int, int, int]]
    computed: torch.dtype
    kept: torch.dtype

    @classmethod
    def of(cls, features: Mapping[str, Tensor], kept: torch.dtype) -> Layout:
        """The layout of features (N, C, H, W)."""
        shapes = {name: (maps.shape[1], maps.shape[2], maps.shape[3]) for name, maps in features.items()}
        return cls(shapes, next(iter(features.values())).dtype, kept)

    @property
    def size(self) -> int:
        """Bytes of a window's features."""
        return sum(math.prod(shape) for shape in self.shapes.values()) * self.kept.itemsize

    def empty(self, windows: int, device: torch.device) -> dict[str, Tensor]:
        """Room for the maps of several windows, (N, H, W, C) by name: as convolutions read them fastest."""
        return {
            name: torch.empty((windows, height, width, channels), dtype=self.computed, device=device)
            for name, (channels, height, width) in self.shapes.items()
        }

    def rounded(self, maps: Tensor) -> Tensor:
        """Maps as they would come back from where they are kept.

        Raises:
            DataError: a number is too large for the type.
        """
        if self.kept == self.computed or self.kept == torch.float32:
            return maps
        kept = maps.to(self.kept)
        if kept.isinf().any() and not maps.isinf().any():
            raise DataError(
                f"setting feature_type=float16: the backbone gives {float(maps.abs().max()):.3g}, and float16 ends "
                "at 65,504: leave it at float32"
            )
        return kept.to(self.computed)

    def pack(self, rows: Mapping[str, Tensor]) -> bytes:
        """The bytes of one window's maps, each (H, W, C)."""
        flat = torch.cat([rows[name].detach().to("cpu", self.kept).flatten() for name in self.shapes])
        return flat.view(torch.uint8).numpy().tobytes()

    def unpack(self, content: bytes, rows: Mapping[str, Tensor]) -> None:
        """Write what was packed into maps (H, W, C)."""
        flat, start = torch.frombuffer(bytearray(content), dtype=self.kept), 0
        for name in self.shapes:
            row = rows[name]
            row.copy_(flat[start : start + row.numel()].view(row.shape))
            start += row.numel()
