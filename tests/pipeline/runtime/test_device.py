"""What --device means. A GPU that is not there is played by fake tensors, which have a device and no content."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch._subclasses import FakeTensorMode

from pipeline.errors import UsageError
from pipeline.runtime.device import resolve_device


@pytest.fixture
def current(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[torch.device]]:
    """The GPUs that became torch's current one, on a machine that seems to have some; cuDNN is as torch has it."""
    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    with FakeTensorMode():
        yield chosen


@pytest.mark.parametrize(("name", "device"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1")])
def test_a_gpu_becomes_the_current_one_and_computes_in_full(
    current: list[torch.device], name: str, device: str
) -> None:
    assert resolve_device(name) == torch.device(device)
    assert current == [torch.device(device)]
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_the_cpu_leaves_torch_as_it_is(current: list[torch.device]) -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert not current
    assert torch.backends.cudnn.allow_tf32


def test_auto_is_the_cpu_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")


@pytest.mark.parametrize("name", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there_is_one_line(name: str) -> None:
    with pytest.raises(UsageError, match=f"--device {name}: not available here"):
        resolve_device(name)
