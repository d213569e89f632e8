"""How far a run is, when it saves that, and when it stops."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import asdict, dataclass, field
from types import FrameType, TracebackType
from typing import Any, Literal

import torch

from trainer.train.distributed import ProcessGroup

LOG_EVERY = 10
"""Steps between two rows of ``metrics.jsonl``."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        epoch: epochs that are done.
        step: steps of the next one that are done.
        count: steps that the next row of the metrics sums up so far.
        sums: of the loss's parts over them.
    """

    epoch: int = 0
    step: int = 0
    count: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, parts: dict[str, float], *, last: bool) -> dict[str, float]:
        """Count a step; the means of the parts since the last row, where it is time for one, else nothing."""
        self.step, self.count = self.step + 1, self.count + 1
        self.sums = {name: self.sums.get(name, 0.0) + value for name, value in parts.items()}
        if self.count < LOG_EVERY and not last:
            return {}
        means = {name: value / self.count for name, value in self.sums.items()}
        self.sums, self.count = {}, 0
        return means

    def end_epoch(self) -> None:
        """Count an epoch."""
        self.epoch, self.step = self.epoch + 1, 0

    def state(self) -> dict[str, Any]:
        """What :meth:`__init__` takes, plain."""
        return asdict(self)


class Pauses:
    """When the processes of a run save and stop: between two steps, and all between the same two.

    As a context it takes SIGINT and SIGTERM for a wish to stop. The second signal is not waited for: it ends the
    process as if nobody listened.

    Args:
        group: the processes.
        device: where they talk.
        minutes: between two saved states; the process that leads looks at its clock.
    """

    def __init__(self, group: ProcessGroup, device: torch.device, minutes: float) -> None:
        self.group, self.device, self.seconds = group, device, 60 * minutes
        self._asked = False
        self._next = time.monotonic() + self.seconds
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Pauses:
        # Python lets the main thread alone listen; one that trains in another is asked to stop by other means.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    def due(self) -> Literal["save", "stop"] | None:
        """What is to be done now; all processes have to ask, and get one answer."""
        late = self.group.leads and time.monotonic() >= self._next
        wishes = self.group.mean({"stop": float(self._asked), "save": float(late)}, self.device)
        if wishes["stop"]:
            return "stop"
        if not wishes["save"]:
            return None
        self._next = time.monotonic() + self.seconds
        return "save"

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)


def ignore_signals() -> None:
    """In a loader process: a terminal's Ctrl-C reaches it as well, and it must serve until its parent has stopped."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
