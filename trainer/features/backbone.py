"""Windows to backbone features: by a backbone that learns, or by a frozen one whose features are kept."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainer.checkpoints.weights import digest
from trainer.features.layout import Layout
from trainer.features.store import GIB, Store
from trainer.net import BranchedNet
from trainer.net.folding import fold_batch_norms
from trainer.net.precision import Narrow

FORMAT = 2
"""Raised by a change of what a backbone makes of equal windows, or of how that is kept."""
_ONLY = ""
"""Name of the map of a network that has but one."""


class Backbone:
    """The backbone of a network, as it is at the moment, with a graph where one is wanted."""

    def __init__(self, net: BranchedNet) -> None:
        self.net = net

    def __call__(self, windows: Tensor, *, again: bool = False) -> Any:
        """Features of windows.

        Args:
            windows: (N, 3, S, S) uint8 R, G, B, as samples have them, on the CPU.
            again: whether the run will see these windows again.

        Returns:
            Maps (N, C, H, W) by name, or the one that there is, as the network gives them, on its device.
        """
        return self.net.window_features(windows)


class FrozenBackbone(Backbone):
    """A backbone that stays as it is, whose features of a window are kept.

    An entry is known by the window's pixels, by the backbone's weights, and by all that numbers may depend on to the
    last bit: torch, the processor, the number of threads; of a GPU its name, cuDNN, and whether it may use TF32. So
    what comes back is what would be computed now. On the CPU windows run one by one, since a convolution's last bits
    may depend on how many run with it; on a GPU, where so they do, all that is missing runs at once.

    What runs is a copy with its batch-norms folded: the network keeps its own.

    Args:
        net: the network; its backbone is in inference mode, and its weights do not change any more.
        weights: of the backbone.
        store: where features are kept; None keeps none.
        kept: the type in which they are; float16 rounds also what is not kept, so that no result depends on the store.
        precision: in which the backbone computes them, bfloat16 in place of float32.
    """

    def __init__(
        self,
        net: BranchedNet,
        weights: Mapping[str, Tensor],
        store: Store | None,
        kept: torch.dtype = torch.float32,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(net)
        self.store, self.kept, self.precision = store, kept, precision
        self._copy = _for_inference(net.trunk, precision)
        self.device = next(iter(weights.values())).device
        self._frozen = weights
        self._layouts: dict[tuple[int, int, bool], Layout] = {}

    @torch.no_grad()
    def __call__(self, windows: Tensor, *, again: bool = False) -> Any:
        """See :meth:`Backbone.__call__`."""
        layout = self.layout(windows.shape[2], windows.shape[3])
        maps = layout.empty(len(windows), self.device)
        if self.store is None or not self.store.serves(again):
            self._compute(windows, range(len(windows)), layout, maps)
        else:
            self._fill(windows.cpu(), layout, maps, self.store)
        made = {name: each.permute(0, 3, 1, 2) for name, each in maps.items()}
        return made.get(_ONLY, made)

    def layout(self, height: int, width: int) -> Layout:
        """The layout of features of windows of a size, found out with a blank one."""
        size = height, width, self._mixed
        if size not in self._layouts:
            blank = torch.zeros((1, 3, height, width), dtype=torch.uint8)
            with torch.no_grad():
                self._layouts[size] = Layout.of(self._run(blank), self.kept)
        return self._layouts[size]

    def told(self, sizes: Collection[int]) -> str:
        """How large the features of windows of some sizes are, pixels, and how many fit, as people read it."""
        bytes_of = [self.layout(size, size).size for size in sizes]
        kind = str(self.kept).rpartition(".")[2]
        large = f"{' or '.join(f'{each / 1000:,.0f}' for each in dict.fromkeys(bytes_of))} kB a window in {kind}"
        if self.store is None:
            return large
        room = max(self.store.limit - self.store.used, 0)
        fit = f"{room * len(bytes_of) // sum(bytes_of):,} {self.store.whose} ({room / GIB:.3g} GiB)"
        return f"{large}; {self.store.where} has room for {fit}"

    @functools.cached_property
    def _weights(self) -> str:
        """A hash of the backbone's weights, which is of no use before a store is asked."""
        return digest(self._frozen)

    @property
    def _mixed(self) -> bool:
        """Whether the network runs in mixed precision at the moment."""
        return torch.is_autocast_enabled(self.device.type)

    def _fill(self, windows: Tensor, layout: Layout, maps: Mapping[str, Tensor], store: Store) -> None:
        """Take the maps of windows from a store, and compute those that it lacks."""
        secret = self._identity(layout)
        keys = [_key(window, secret) for window in windows]
        missing = []
        for place, key in enumerate(keys):
            if entry := store.get(key, layout.size):
                layout.unpack(entry, {name: each[place] for name, each in maps.items()})
            else:
                missing.append(place)
        self._compute(windows, missing, layout, maps)
        for place in missing:
            store.put(keys[place], layout.pack({name: each[place] for name, each in maps.items()}))

    def _compute(self, windows: Tensor, places: Sequence[int], layout: Layout, maps: Mapping[str, Tensor]) -> None:
        """Compute the maps of the windows at some places."""
        at_once = 1 if self.device.type == "cpu" else max(len(places), 1)
        for first in range(0, len(places), at_once):
            chosen = list(places[first : first + at_once])
            for name, computed in self._run(windows[chosen]).items():
                maps[name][chosen] = layout.rounded(computed).permute(0, 2, 3, 1)

    def _run(self, windows: Tensor) -> dict[str, Tensor]:
        """Maps by name, also of a network that has but one."""
        made: dict[str, Tensor] | Tensor = self._copy(self.net.images(windows))
        return {_ONLY: made} if isinstance(made, Tensor) else made

    def _identity(self, layout: Layout) -> bytes:
        """A hash of all that features of equal windows depend on."""
        kind, device = type(self.net), _gpu(self.device) if self.device.type == "cuda" else _processor()
        told = [FORMAT, f"{kind.__module__}.{kind.__qualname__}", self._weights, str(layout.kept), str(layout.computed)]
        told += [] if self.precision == torch.float32 else [str(self.precision)]
        return hashlib.sha256(json.dumps([*told, torch.__version__, device]).encode()).digest()


def _for_inference(trunk: nn.Module, precision: torch.dtype) -> nn.Module:
    """A copy of a frozen backbone that gives the same features faster."""
    made = copy.deepcopy(trunk).eval().requires_grad_(False)
    fold_batch_norms(made)
    return made if precision == torch.float32 else Narrow(made, precision)


def _processor() -> list[object]:
    return [torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()]


def _gpu(device: torch.device) -> list[object]:
    cudnn = torch.backends.cudnn
    version = cudnn.version()  # type: ignore[no-untyped-call]
    return [torch.cuda.get_device_name(device), version, cudnn.allow_tf32]


def _key(window: Tensor, identity: bytes) -> str:
    """The key of a window (3, H, W) under what computes its features."""
    hashed = hashlib.blake2b(repr(tuple(window.shape)).encode(), digest_size=20, key=identity)
    hashed.update(window.flatten().numpy().data)
    return hashed.hexdigest()
