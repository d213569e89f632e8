"""What --device means."""

from __future__ import annotations

import pytest
import torch

from pipeline.errors import UsageError
from pipeline.runtime.device import resolve_device


def test_auto_takes_cuda_where_there_is_any(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, device in ((True, "cuda:1"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert resolve_device("auto", "cuda:1") == torch.device(device)


@pytest.mark.parametrize("name", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there_is_one_line(name: str) -> None:
    with pytest.raises(UsageError, match=f"--device {name}: not available here"):
        resolve_device(name)


def test_a_device_that_is_there_is_taken() -> None:
    assert str(resolve_device("cpu")) == "cpu"
