"""Counts of the fault suite: what was tried, and what the project survived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from .sandbox import Outcome, Sandbox, sandbox

COUNTS: dict[str, list[int]] = {}
"""Kind of fault -> tried, survived."""
Tally = Callable[[str, bool], None]


def count(kind: str, survived: bool) -> None:
    """Enter one attempt."""
    tried = COUNTS.setdefault(kind, [0, 0])
    tried[0] += 1
    tried[1] += survived


@pytest.fixture
def tally() -> Tally:
    """Enters one attempt under a kind of fault."""
    return count


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """One sandbox for all tests."""
    with sandbox() as made:
        yield made


def apart(cases: Iterable[str], *longest: str) -> list[object]:
    """The cases; those that take seconds run with the slow tests, and in the whole fault suite."""
    marks = [pytest.mark.slow, pytest.mark.faults]
    return [pytest.param(case, marks=marks) if case in longest else case for case in cases]


def bad(outcomes: dict[str, Outcome]) -> str:
    """The cases that were not survived, a line each."""
    return "\n".join(f"{name}: {o.kind}: {o.told.strip()[-800:]}" for name, o in outcomes.items() if not o.survived)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if COUNTS:
        tried, survived = (sum(column) for column in zip(*COUNTS.values()))
        parts = ", ".join(f"{kind} {good}/{total}" for kind, (total, good) in sorted(COUNTS.items()))
        terminalreporter.write_line(f"faults: {tried} tried, {survived} survived ({parts})")
