"""Reference cases of the parity material, and small inputs for the tests that need none."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ...conftest import reference_module, shared

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One reference case: its arrays, the weights of its network and its inputs."""

    values: dict[str, Any]
    state_dict: dict[str, Tensor]
    inputs: dict[str, Tensor]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def on(self, device: torch.device) -> Case:
        """The same with its inputs on a device."""
        return replace(self, inputs={name: value.to(device) for name, value in self.inputs.items()})

    @property
    def counts(self) -> tuple[int, int, int]:
        """Training images, test images, sequences."""
        n, m, s, *_ = (int(v) for v in self.values["shape"])
        return n, m, s


@pytest.fixture(scope="session")
def reference() -> Callable[[str], Case]:
    """Loads ``reference_public/<stem>.npz``; network cases are named after their key file."""
    folder = shared("parity")
    reference_module("recipe")
    loader = reference_module("load_reference")

    def case(stem: str) -> Case:
        values = loader.load_case(shared(f"parity/reference_public/{stem}.npz"))
        if "salt" not in values:
            return Case(values, {}, {})
        name = next(part for part in stem.split("_") if part in ("dimp18", "dimp50", "atom"))
        inputs = {key: torch.from_numpy(array) for key, array in loader.network_inputs(stem, values).items()}
        return Case(values, loader.to_state_dict(folder / f"{name}_keys.json", values["salt"]), inputs)

    return case


@pytest.fixture(scope="session")
def reference_keys() -> Callable[[str], list[tuple[str, Shape, str]]]:
    """Key, shape and dtype of every entry of a tracker's released state dict, in order."""

    def keys(tracker: str) -> list[tuple[str, Shape, str]]:
        stem = "super_dimp" if tracker == "superdimp" else tracker
        rows = json.loads(shared(f"parity/{stem}_keys.json").read_text())
        return [(key, tuple(shape), dtype) for key, shape, dtype in rows]

    return keys


def error(got: Tensor | np.ndarray, want: Any) -> float:
    """Largest error relative to the largest value wanted: what the tolerances of the reference speak of."""
    found = np.asarray(got.detach().cpu() if isinstance(got, Tensor) else got, np.float64)
    wanted = np.asarray(want, np.float64)
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max() / (np.abs(wanted).max() + 1e-12))


def summary(maps: Tensor) -> np.ndarray:
    """The five numbers that the reference keeps of a large array."""
    x = maps.detach().double().flatten().cpu().numpy()
    return np.array([x.mean(), x.std(ddof=1), np.abs(x).mean(), np.abs(x).max(), x @ np.linspace(-1, 1, x.size)])


def noise(name: str, *shape: int) -> Tensor:
    """Standard normal numbers that depend on the name alone."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
