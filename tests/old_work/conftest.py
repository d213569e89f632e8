"""A copy of the old work for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .old_world import OLD


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A copy of the old work that a test may change."""
    return shutil.copytree(OLD, tmp_path / "work")
