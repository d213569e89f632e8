"""Tests that run on the CPU and on a GPU, and what it takes that no test of a GPU is left out unseen."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import torch

from pipeline.runtime.device import resolve_device

EXCUSED = ("needs ../shared", "needs a second GPU")
"""Reasons to skip a test on a machine that is a GPU's all the same."""


def gpu() -> torch.device:
    """The first GPU, or a skip where there is none."""
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    return resolve_device("cuda")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Where a test computes: once on the CPU, once on the GPU."""
    return gpu() if request.param == "cuda" else torch.device("cpu")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where the tests of a GPU alone are asked for, one that is skipped has failed, unless it is excused."""
    report = yield
    if report.skipped and item.config.option.markexpr == "cuda" and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(EXCUSED):
            report.outcome, report.longrepr = "failed", f"{item.nodeid} was skipped: {reason}"
    return report
