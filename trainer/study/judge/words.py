"""How figures are written in verdicts: signed, three digits behind the point, no 0 before it."""

from __future__ import annotations


def signed(value: float, digits: int = 3) -> str:
    """Such as ``+.012``, ``−.003`` and ``0``."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return "." + "0" * digits
    return ("−" if value < 0 else "+") + text.removeprefix("0")


def bound(value: float) -> str:
    """A limit of a rule, such as ``+.01`` and ``0``."""
    return "0" if value == 0 else signed(value, 2)


def interval(value: float, low: float | None, high: float | None) -> str:
    """Such as ``+.012 [−.003, +.027]``."""
    if low is None or high is None:
        return f"{signed(value)} (one clip: no interval)"
    return f"{signed(value)} [{signed(low)}, {signed(high)}]"
