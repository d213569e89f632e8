"""How much of the work may come to nothing before a command ends with exit code 1."""

from __future__ import annotations

from pipeline.errors import TooManyRejectsError

REJECTED = "were rejected, more than --max-reject-ratio {:g}: see rejects.jsonl for the reasons"
GOT_RANDOM = "had no detection and got a random patch"
DO_THEY_FIT = "do the weights or boxes fit these pictures? --confidence, --classes and --min-size decide too"
FELL_BACK = f"{GOT_RANDOM}, more than --max-fallback-ratio {{:g}}: {DO_THEY_FIT}"


def check_ratio(ratio: float, limit: float, what: str) -> None:
    """See to it that no more than ``limit`` of the pairs came to nothing; ``what`` says how.

    Raises:
        TooManyRejectsError: more did; the work is done all the same.
    """
    if ratio > limit:
        raise TooManyRejectsError(f"{ratio:.0%} of the pairs {what.format(limit)}; what was kept is complete")
