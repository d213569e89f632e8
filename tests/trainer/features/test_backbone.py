"""Features of a frozen backbone: the same to the bit whether they are kept, and whatever they are computed with."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from pipeline.errors import DataError
from trainer.features import Backbone, FrozenBackbone
from trainer.features.store import FolderStore, MemoryStore, Store
from trainer.net import BranchedNet, TrackingNet, build_network
from trainer.net.backbone import Features

SIZE = 96
BOUND = 1 << 30


def windows(count: int, seed: int = 0, size: int = SIZE) -> Tensor:
    torch.manual_seed(seed)
    return torch.randint(256, (count, 3, size, size), dtype=torch.uint8)


@pytest.fixture(scope="module")
def net() -> TrackingNet:
    torch.manual_seed(1)
    made = build_network("dimp18").eval().to(memory_format=torch.channels_last)
    return cast("TrackingNet", made)


def frozen(net: TrackingNet, store: Store | None, kept: torch.dtype = torch.float32) -> FrozenBackbone:
    return FrozenBackbone(net, net.feature_extractor.state_dict(), store, kept)


def equal(one: Features, other: Features) -> bool:
    return one.keys() == other.keys() and all(
        maps.equal(other[name]) and maps.stride() == other[name].stride() for name, maps in one.items()
    )


def counted(net: TrackingNet, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many windows the network has computed since it was asked last."""
    seen: list[int] = []
    shown = net.images
    monkeypatch.setattr(net, "images", lambda given: (seen.append(len(given)), shown(given))[1])

    def since() -> int:
        total = sum(seen)
        seen.clear()
        return total

    return since


@pytest.mark.parametrize("place", ["memory", "folder"])
def test_kept_features_are_those_that_would_be_computed(
    net: TrackingNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    store: Store = MemoryStore(BOUND) if place == "memory" else FolderStore(tmp_path, BOUND)
    seen, first, other = windows(4), frozen(net, store), frozen(net, None)
    first.layout(SIZE, SIZE), other.layout(SIZE, SIZE)
    since = counted(net, monkeypatch)
    expected = other(seen, again=True)
    assert since() == 4
    assert equal(first(seen[:2], again=True), {name: maps[:2] for name, maps in expected.items()})
    assert since() == 2
    assert equal(first(seen, again=True), expected)
    assert since() == 2
    assert equal(first(seen.flip(0), again=True), {name: _rows_last(maps.flip(0)) for name, maps in expected.items()})
    assert since() == 0
    assert all(maps.is_contiguous(memory_format=torch.channels_last) for maps in expected.values())
    assert not any(maps.requires_grad for maps in first(seen, again=True).values())


def _rows_last(maps: Tensor) -> Tensor:
    return maps.contiguous(memory_format=torch.channels_last)


def test_a_window_s_features_do_not_depend_on_those_beside_it(net: TrackingNet) -> None:
    seen = windows(5)
    together = frozen(net, None)(seen)
    for place in range(5):
        alone = frozen(net, None)(seen[place : place + 1])
        assert all(maps[place].equal(alone[name][0]) for name, maps in together.items())


def test_they_are_the_network_s_own(net: TrackingNet) -> None:
    seen = windows(2)
    with torch.no_grad():
        for name, maps in Backbone(net)(seen).items():
            torch.testing.assert_close(frozen(net, None)(seen)[name], maps, rtol=1e-4, atol=1e-4)


def test_another_folder_s_entries_are_found_by_a_later_run(
    net: TrackingNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = windows(3)
    expected = frozen(net, FolderStore(tmp_path, BOUND))(seen)
    later = frozen(net, FolderStore(tmp_path, BOUND))
    later.layout(SIZE, SIZE)
    since = counted(net, monkeypatch)
    assert equal(later(seen), expected)
    assert since() == 0


def test_an_entry_is_of_its_window_backbone_and_type(tmp_path: Path) -> None:
    """Another pixel, weight, size, type or number of threads is another entry."""
    torch.manual_seed(2)
    net = build_network("dimp18").eval()
    store = FolderStore(tmp_path, BOUND)

    def entries() -> int:
        return len(list(tmp_path.glob("*/*")))

    seen = windows(1)
    frozen(net, store)(seen)
    assert entries() == 1
    frozen(net, store)(seen)
    assert entries() == 1
    changed = seen.clone()
    changed[0, 2, 5, 7] ^= 1
    frozen(net, store)(changed)
    assert entries() == 2
    frozen(net, store)(seen, again=True)
    frozen(net, store, torch.float16)(seen)
    assert entries() == 3
    frozen(net, store)(seen.transpose(2, 3).contiguous()[..., :80])
    assert entries() == 4
    with torch.no_grad():
        net.feature_extractor.bn1.running_mean[3] += 1e-6
    frozen(net, store)(seen)
    assert entries() == 5
    with torch.autocast("cpu", torch.bfloat16):
        frozen(net, store)(seen)
    assert entries() == 6
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        frozen(net, store)(seen)
    finally:
        torch.set_num_threads(threads)
    assert entries() == 7


def test_mixed_precision_is_kept_as_it_is(net: TrackingNet, tmp_path: Path) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        cold, warm, none = (frozen(net, store)(windows(2)) for store in (*2 * [FolderStore(tmp_path, BOUND)], None))
    assert cold["layer2"].dtype == torch.bfloat16
    assert equal(cold, warm)
    assert equal(cold, none)


def test_float16_rounds_what_is_kept_and_what_is_not_alike(net: TrackingNet, tmp_path: Path) -> None:
    seen, exact = windows(2), frozen(net, None)(windows(2))
    cold, warm, none = (
        frozen(net, store, torch.float16)(seen) for store in (*2 * [FolderStore(tmp_path, BOUND)], None)
    )
    assert equal(cold, warm)
    assert equal(cold, none)
    for name, maps in exact.items():
        assert cold[name].dtype == torch.float32
        assert cold[name].equal(maps.half().float())
        assert not cold[name].equal(maps)
    assert {path.stat().st_size for path in tmp_path.glob("*/*")} == {16 + 2 * (128 * 12 * 12 + 256 * 6 * 6)}


class Sparse(nn.Module):
    """A backbone of one map, whose numbers may be any."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :, ::8, ::16] * self.factor - 100


class Loud(BranchedNet):
    trunk_name = "sparse"

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.sparse = Sparse(factor)

    def normalise(self, windows: Tensor) -> Tensor:
        return windows.float()


def test_a_lone_map_of_any_size_and_sign_is_kept_without_a_name(tmp_path: Path) -> None:
    net = Loud(0.37)
    own = FrozenBackbone(net, dict(net.named_parameters()), FolderStore(tmp_path, BOUND))
    for size in (127, 255):
        seen = windows(2, size=size)
        for _ in range(2):
            assert own(seen).equal(net.window_features(seen))
    assert len(list(tmp_path.glob("*/*"))) == 4


def test_numbers_that_float16_does_not_hold_are_refused() -> None:
    net = Loud(1000.0)
    own = FrozenBackbone(net, dict(net.named_parameters()), None, torch.float16)
    with pytest.raises(DataError, match=r"setting feature_type=float16: the backbone gives 2\.55e\+05, and"):
        own(torch.full((1, 3, 32, 32), 255, dtype=torch.uint8))


def test_it_tells_how_large_a_window_s_features_are_and_how_many_fit(net: TrackingNet, tmp_path: Path) -> None:
    size = 2 * (128 * 20 * 20 + 256 * 10 * 10)
    assert size == 153_600
    folder = frozen(net, FolderStore(tmp_path, BOUND), torch.float16)
    assert (
        folder.told((160,)) == f"154 kB a window in float16; {tmp_path} has room for {BOUND // size:,} windows (1 GiB)"
    )
    assert frozen(net, None).told((160,)) == "307 kB a window in float32"
    two = frozen(net, MemoryStore(BOUND)).told((160, 320))
    assert f"307 or 1,229 kB a window in float32; memory has room for {2 * BOUND // (5 * 307_200):,} windows" in two
    assert "memory has room for 3,495 windows that come again (1 GiB)" in frozen(net, MemoryStore(BOUND)).told((160,))


def folds(net: TrackingNet, precision: torch.dtype = torch.float32) -> FrozenBackbone:
    """A frozen backbone whose batch-norms have something to fold."""
    for norm in (module for module in net.modules() if isinstance(module, nn.BatchNorm2d)):
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.normal_(std=0.1)
        norm.running_var.uniform_(0.5, 1.5)
    return FrozenBackbone(net, net.feature_extractor.state_dict(), None, precision=precision)


def _apart(net: TrackingNet, frozen: FrozenBackbone) -> list[float]:
    """How far features are from the network's own, of their spread."""
    seen = windows(2)
    with torch.no_grad():
        expected: Features = net.window_features(seen)
    made = frozen(seen)
    assert all(maps.dtype == torch.float32 for maps in made.values())
    return [float((made[name] - maps).abs().max() / maps.std()) for name, maps in expected.items()]


def test_a_folded_copy_gives_the_network_s_features_and_the_network_keeps_its_norms(net: TrackingNet) -> None:
    net = copy.deepcopy(net)
    frozen = folds(net)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert 0 < max(_apart(net, frozen)) < 1e-4
    assert all(value.equal(before[name]) for name, value in net.state_dict().items())


def test_bfloat16_is_near_and_heads_get_float32(net: TrackingNet) -> None:
    net = copy.deepcopy(net)
    assert 1e-4 < max(_apart(net, folds(net, torch.bfloat16))) < 0.2


def test_features_of_another_precision_are_not_taken(net: TrackingNet, tmp_path: Path) -> None:
    store, weights = FolderStore(tmp_path, BOUND), net.feature_extractor.state_dict()
    for precision in (torch.float32, torch.bfloat16):
        FrozenBackbone(net, weights, store, precision=precision)(windows(2), again=True)
    assert len(list(tmp_path.glob("*/*"))) == 4


def test_an_entry_of_a_gpu_is_of_its_cudnn_and_its_precision(net: TrackingNet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that is not there has a name and libraries too."""
    made = frozen(net, None)
    layout, identities = made.layout(SIZE, SIZE), set()
    made.device = torch.device("cuda:0")
    for card, version, tf32 in (("a", 1, False), ("b", 1, False), ("b", 2, False), ("b", 2, True), ("b", 2, True)):
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device, card=card: card)
        monkeypatch.setattr(torch.backends.cudnn, "version", lambda version=version: version)
        monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", tf32)
        identities.add(made._identity(layout))
    assert len(identities) == 4
