"""What the tests share."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def shared(name: str) -> Path:
    """A file of the reference material that lies beside a checkout, or a skip where there is none."""
    path = REPOSITORY.parent / "shared" / name
    if not path.exists():
        pytest.skip(f"needs ../shared/{name}, which is not beside this checkout")
    return path
