"""The maps that proposals are pooled from: cut or made only where boxes lie, a small part of a search window."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from trainer.net.backbone import Features
from trainer.net.iou_net import COARSE, FINE, BoxFeatures, IoUNet, Modulation
from trainer.net.precision import widened

_MARGIN = 8.0
"""Pixels around the boxes in which they may move without another part being made."""


class Part(NamedTuple):
    """A part of a level's modulated maps."""

    maps: Tensor
    """(N, h, w, 256)."""
    corner: Tensor
    """Column and row of its first cell in the whole, (N, 2), or (1, 2) where that is the same in all windows."""


class _Span(NamedTuple):
    """Cells of a map; ends are exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    def around(self, cells: int, size: tuple[int, int]) -> _Span:
        """The span with some cells more on each side, as far as a map of ``size`` has them."""
        low = max(self.top - cells, 0), max(self.left - cells, 0)
        return _Span(*low, min(self.bottom + cells, size[0]), min(self.right + cells, size[1]))

    def of(self, held: Tensor, corner: tuple[int, int] = (0, 0)) -> Tensor:
        """These cells of maps (N, C, h, w) that begin at row and column ``corner``."""
        rows = slice(self.top - corner[0], self.bottom - corner[0])
        return held[..., rows, self.left - corner[1] : self.right - corner[1]]


class PartsOfWindows:
    """The modulated maps of windows of as many targets, each where its own boxes touch them.

    Args:
        modulated: all cells of N windows.
    """

    def __init__(self, modulated: BoxFeatures) -> None:
        self._levels = [
            (level.stride, widened(maps).permute(0, 2, 3, 1)) for level, maps in zip((FINE, COARSE), modulated)
        ]
        self._held: tuple[Tensor, Tensor] | None = None
        self._parts: list[Part] = []

    def __call__(self, boxes: Tensor) -> list[Part]:
        """A part of each level, as large in all windows, with all cells that boxes (N, P, 4) touch in theirs."""
        low, high = boxes[..., :2].amin(1), (boxes[..., :2] + boxes[..., 2:]).amax(1)
        if not (low.isfinite().all() and high.isfinite().all()):
            low, high = torch.full_like(low, -math.inf), torch.full_like(high, math.inf)
        if self._held is None or (low < self._held[0]).any() or (high > self._held[1]).any():
            self._held = low - _MARGIN, high + _MARGIN
            self._parts = [_cut(maps, self._held[0] / stride, self._held[1] / stride) for stride, maps in self._levels]
        return self._parts


def _cut(maps: Tensor, low: Tensor, high: Tensor) -> Part:
    """Of each of N maps (N, h, w, C) the cells whose hats reach between two points (N, 2), as many of each."""
    cells = low.new_tensor([maps.shape[2], maps.shape[1]])
    first = torch.minimum(low.floor().clamp(min=0), cells - 1)
    last = torch.minimum(torch.maximum((high + 2).floor(), first + 1), cells)
    width, height = (last - first).amax(0).int().tolist()
    corner = torch.minimum(first, cells - cells.new_tensor([width, height]))
    places = enumerate(corner.int().tolist())
    cut = [maps[window, row : row + height, column : column + width] for window, (column, row) in places]
    return Part(torch.stack(cut), corner)


class PartsUnderBoxes:
    """The modulated maps of search windows of one sequence, where boxes touch them.

    Args:
        net: the IoU-net.
        modulation: what the target looks like.
        features: backbone features of N windows.
    """

    def __init__(self, net: IoUNet, modulation: Modulation, features: Features) -> None:
        self._net, self._modulation = net, modulation
        self._levels = [
            (FINE.stride, features["layer2"], [net.conv3_1t, net.conv3_2t]),
            (COARSE.stride, features["layer3"], [net.conv4_1t, net.conv4_2t]),
        ]
        self._held: tuple[float, float, float, float] | None = None
        self._parts: list[Part] = []

    def __call__(self, boxes: Tensor) -> list[Part]:
        """A part of each level with all cells that boxes (N, P, 4), x, y, w, h in window pixels, touch."""
        starts, ends = boxes[..., :2], boxes[..., :2] + boxes[..., 2:]
        left, top, right, bottom = torch.cat([starts.amin((0, 1)), ends.amax((0, 1))]).tolist()
        if not all(map(math.isfinite, (left, top, right, bottom))):
            left = top = -math.inf
            right = bottom = math.inf
        held = self._held
        if held is None or left < held[0] or top < held[1] or right > held[2] or bottom > held[3]:
            self._held = left - _MARGIN, top - _MARGIN, right + _MARGIN, bottom + _MARGIN
            self._parts = self._made(*self._held)
        return self._parts

    def _made(self, left: float, top: float, right: float, bottom: float) -> list[Part]:
        """The parts that boxes between such edges touch."""
        spans, made = [], []
        for stride, maps, blocks in self._levels:
            rows, columns = maps.shape[-2:]
            (first, last), (begin, end) = _touched(top, bottom, stride, rows), _touched(left, right, stride, columns)
            spans.append(span := _Span(first, begin, last, end))
            made.append(_within(span, blocks, maps))
        modulated = self._net.modulate(self._modulation, BoxFeatures(*made))
        return [
            Part(widened(maps).permute(0, 2, 3, 1).contiguous(), torch.tensor([[span.left, span.top]]))
            for maps, span in zip(modulated, spans)
        ]


def _touched(low: float, high: float, stride: int, cells: int) -> tuple[int, int]:
    """First and last (exclusive) cell whose hat reaches between two coordinates in pixels; at least one."""
    first = math.floor(min(max(low / stride, 0), cells - 1))
    return first, math.floor(min(max(high / stride + 2, first + 1), cells))


def _within(span: _Span, blocks: list[nn.Sequential], maps: Tensor) -> Tensor:
    """What 3x3 blocks, one after another, make of the maps in a span: each is wrong in the cells beside a cut."""
    size = (maps.shape[-2], maps.shape[-1])
    spans = [span.around(cells, size) for cells in range(len(blocks), -1, -1)]
    made = spans[0].of(maps)
    for block, held, wanted in zip(blocks, spans, spans[1:]):
        made = wanted.of(block(made), held[:2])
    return made
