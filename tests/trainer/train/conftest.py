"""What the tests of whole runs start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..train_world import write_teacher, write_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shards."""
    return write_world(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="session")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a base tracker, the same for all rows; not to be changed."""
    return write_teacher(tmp_path_factory.mktemp("teacher"))
