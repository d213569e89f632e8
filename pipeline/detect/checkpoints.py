"""Reading weights that others made without running what is in them.

A ``.pt`` or ``.pkl`` file is a pickle, and unpickling one calls whatever it names. Here tensors are read through
torch's restricted unpickler and arrays through one of our own, and where a file holds a whole model, each of its
classes is replaced by an inert stand-in: the caller gets the tensors and plain settings, never the model's code.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from pipeline.errors import DataError

_DAMAGED = (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError, AttributeError)
_UNPICKLER = re.compile(r"WeightsUnpickler error:\s*(.+)")
_ARRAY_PARTS = frozenset(
    {
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("collections", "OrderedDict"),
        ("_codecs", "encode"),
    }
)
"""All that a pickle of numpy arrays has to name."""


class StandIn:
    """Takes the place of a class named in a checkpoint: holds the attributes that were stored, does nothing."""

    def __new__(cls, *_args: object) -> StandIn:
        """Ignore what the pickle passes to the class."""
        return super().__new__(cls)

    def __init__(self, *_args: object) -> None: ...

    def __setstate__(self, state: object) -> None:
        """Keep stored attributes; other forms of state belong to classes of no interest here."""
        if isinstance(state, dict):
            self.__dict__.update(state)


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles numpy arrays and plain containers, nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Resolve a name, if arrays need it."""
        if (module, name) not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which weights have no use for")
        return super().find_class(module, name)


def read_model(path: Path, packages: tuple[str, ...]) -> object:
    """Read a checkpoint that pickles whole modules, their classes replaced by :class:`StandIn` of the same name.

    Args:
        path: file written by ``torch.save`` in its zip format.
        packages: prefixes of the class names it may hold; these become inert, any other is refused.

    Raises:
        DataError: not such a file, damaged, or it names something outside ``packages``.
    """
    try:
        names = sorted(get_unsafe_globals_in_checkpoint(str(path)))
        for name in names:
            if not name.startswith(packages):
                raise pickle.UnpicklingError(f"it names {name}, which such a model has no use for")
        with safe_globals([_stand_in(name) for name in names]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGED as error:
        raise _refused(path, error) from error


def _stand_in(name: str) -> type[StandIn]:
    module, _, attribute = name.rpartition(".")
    return type(attribute, (StandIn,), {"__module__": module})


def module_tensors(module: object, prefix: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Walk a stand-in for a ``torch.nn.Module`` and yield its state dict.

    Raises:
        AttributeError: it is not laid out as a module.
    """
    content = vars(module)
    passing = content.get("_non_persistent_buffers_set", ())
    for name, tensor in (content["_parameters"] | content["_buffers"]).items():
        if isinstance(tensor, torch.Tensor) and name not in passing:
            yield prefix + name, tensor
    for name, child in content["_modules"].items():
        if child is not None:
            yield from module_tensors(child, f"{prefix}{name}.")


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict: ``torch.save`` of tensors, or detectron2's ``.pkl`` of arrays; under ``model`` or bare.

    Raises:
        DataError: damaged, not a state dict, or it names code.
    """
    try:
        if path.suffix == ".pkl":
            with path.open("rb") as file:
                content = _ArrayUnpickler(file, encoding="latin1").load()
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
        content = content.get("model", content)
        return {str(name): torch.as_tensor(np.asarray(value)) for name, value in content.items()}
    except _DAMAGED as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: Exception) -> DataError:
    # What torch advises first, to load the file all the same, is no advice to follow.
    found = _UNPICKLER.search(str(error))
    reason = (found[1].partition(". ")[0] if found else str(error).partition("\n")[0]) or type(error).__name__
    if isinstance(error, KeyError):
        reason = "not a file of torch.save"
    return DataError(f"{path}: refused as weights: {reason}: get the file again from its makers")
