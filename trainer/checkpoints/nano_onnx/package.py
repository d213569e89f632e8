"""The package ``onnx``, which is an extra: asked for when a file is read or written, and told in one line if absent."""

from __future__ import annotations

import importlib
from types import ModuleType

from pipeline.errors import UsageError


def onnx_package(purpose: str) -> ModuleType:
    """The package.

    Args:
        purpose: what it is needed for, for the message.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise UsageError(f'{purpose} needs the package onnx: pip install "cmd-tir[onnx]" ({error})') from None
