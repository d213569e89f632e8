"""No test of a GPU is left out unseen where those alone are asked for."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]
TESTS = """
import pytest

@pytest.mark.cuda
@pytest.mark.parametrize("lacking", ["a GPU", "../shared/parity, which is not there", "a second GPU", "onnx"])
def test_on_a_gpu(lacking):
    pytest.skip(f"needs {lacking}")
"""


@pytest.mark.parametrize(("words", "code", "told"), [(("-m", "cuda"), 1, "2 failed, 2 skipped"), ((), 0, "4 skipped")])
def test_a_skip_fails_unless_the_machine_may_lack_what_it_needs(
    pytester: pytest.Pytester, words: tuple[str, ...], code: int, told: str
) -> None:
    pytester.makeconftest("from tests.on_gpu import pytest_runtest_makereport\n")
    pytester.makeini("[pytest]\nmarkers = cuda\n")
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", *words)
    shown = done.stdout.str()
    assert (done.ret, told in shown) == (code, True), shown
    if code:
        assert "was skipped: needs a GPU" in shown
        assert "was skipped: needs onnx" in shown
