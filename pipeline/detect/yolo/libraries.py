"""The libraries of YOLO, kept off the network and out of the home directory; imported only when they are asked for."""

from __future__ import annotations

import importlib
import os
import tempfile
from functools import cache
from typing import TYPE_CHECKING

from pipeline.detect.base import extra
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType


def import_ultralytics(module: str) -> ModuleType:
    """Import a module of ultralytics, which left alone looks names up, writes settings and may install packages.

    Raises:
        UsageError: it is not installed.
    """
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false", YOLO_CONFIG_DIR=_home().name)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return _imported(module)


@cache
def _home() -> tempfile.TemporaryDirectory[str]:
    """Where ultralytics may write its settings; it goes when the process ends."""
    return tempfile.TemporaryDirectory(prefix="cmd-tir-yolo-", ignore_cleanup_errors=True)


def import_onnxruntime() -> ModuleType:
    """Import onnxruntime.

    Raises:
        UsageError: it is not installed.
    """
    return _imported("onnxruntime")


def _imported(module: str) -> ModuleType:
    # onnxruntime, which ultralytics imports in turn, from 1.29 on reports each model's name and hash to its makers.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"--detector yolo cannot import {error.name}: {extra('yolo')}") from error
