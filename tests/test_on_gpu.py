"""No test of a GPU is left out unseen where those alone are asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REPOSITORY

TESTS = """
import pytest

@pytest.mark.cuda
@pytest.mark.parametrize("lacking", ["a GPU", "../shared/parity, which is not there", "a second GPU", "onnx"])
def test_on_a_gpu(lacking):
    pytest.skip(f"needs {lacking}")
"""


@pytest.mark.parametrize(("words", "code", "told"), [(("-m", "cuda"), 1, "2 failed, 2 skipped"), ((), 0, "4 skipped")])
def test_a_skip_fails_unless_the_machine_may_lack_what_it_needs(
    tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    (tmp_path / "conftest.py").write_text("from tests.on_gpu import pytest_runtest_makereport\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = cuda\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, told in done.stdout) == (code, True), done.stdout
    if code:
        assert "was skipped: needs a GPU" in done.stdout
        assert "was skipped: needs onnx" in done.stdout
