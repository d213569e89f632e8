"""What the tests of pairing share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.manifests import Manifest, load_manifest
from pipeline.pairing.discovery.discover import SequencePairs, discover

Make = Callable[..., Any]


def _build(root: Path, *files: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def _found(root: Path, manifest: Manifest | str = "kaist") -> list[SequencePairs]:
    return list(discover(root, load_manifest(manifest) if isinstance(manifest, str) else manifest))


@pytest.fixture
def build() -> Make:
    """``build(root, *files)`` makes empty files and returns the root."""
    return _build


@pytest.fixture
def found() -> Make:
    """``found(root, manifest="kaist")`` lists the sequences of a folder."""
    return _found


@pytest.fixture
def frames() -> Make:
    """``frames(root, manifest="kaist")`` lists the ids of a folder's pairs."""
    return lambda root, manifest="kaist": [p.pair_id for sequence in _found(root, manifest) for p in sequence.pairs]
