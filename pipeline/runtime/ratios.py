"""How much of the work may come to nothing before a command ends with exit code 1."""

from __future__ import annotations

from pipeline.errors import TooManyRejectsError

REJECTED = "were rejected, more than --max-reject-ratio {:g}: see rejects.jsonl for the reasons"
FELL_BACK = (
    "had no detection and got a random patch, more than --max-fallback-ratio {:g}: do the weights or boxes fit these "
    "pictures? --confidence, --classes and --min-size decide too"
)


def check_ratio(ratio: float, limit: float, what: str) -> None:
    """See to it that no more than ``limit`` of the pairs came to nothing; ``what`` says how.

    Raises:
        TooManyRejectsError: more did; the work is done all the same.
    """
    if ratio > limit:
        raise TooManyRejectsError(f"{ratio:.0%} of the pairs {what.format(limit)}; what was kept is complete")
