"""How much of the time of a run's steps passes before their data is there."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

log = logging.getLogger(__name__)

Batch = TypeVar("Batch")
MUCH = 0.2
"""Share of the steps' time from which the data holds them up, and more loader processes are worth a try."""


class Waiting:
    """A clock that runs while steps are taken, and a second one that runs while they wait for a batch."""

    def __init__(self) -> None:
        self._waited = self._passed = 0.0

    @property
    def share(self) -> float:
        """Of the time so far; 0 before the first batch."""
        return self._waited / self._passed if self._passed else 0.0

    def tell(self, workers: int) -> None:
        """Say what helps where the data holds a run up that has so many loader processes."""
        if self.share > MUCH:
            log.info(
                "steps waited for data %.0f %% of their time: more --loader-workers than %d help if cores are free",
                *(100 * self.share, workers),
            )

    def timed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches; what passes between two of them is a step."""
        source, before = iter(batches), time.perf_counter()
        while True:
            asked = time.perf_counter()
            batch = next(source, None)
            given = time.perf_counter()
            self._waited += given - asked
            self._passed += given - before
            before = given
            if batch is None:
                return
            yield batch
