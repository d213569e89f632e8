"""How many sequences would decide what these did not, were the differences and their spread to stay as they are."""

from __future__ import annotations

from bisect import bisect_left
from math import ceil

from trainer.study.judge.contrasts import Contrast
from trainer.study.judge.rules import Condition, Known, Rule

MOST = 1_000_000
"""Clips beyond which nobody goes."""


def needed_sequences(rules: list[Rule], known: Known) -> int | None:
    """The fewest sequences at which one of the rules would fit.

    Returns:
        None where no number would: the seeds spread too far, or the differences lie on no rule's side.
    """
    enough = [_of_rule(rule, known) for rule in rules if not rule.missing(known)]
    return min((count for count in enough if count is not None), default=None)


def _of_rule(rule: Rule, known: Known) -> int | None:
    each = [_of_condition(condition, known[condition.pair]) for condition in rule.conditions]
    counts = [count for count in each if count is not None]
    if len(counts) < len(each):
        return None
    now = max(known[pair].sequences for pair in rule.pairs)
    # The bootstrap's end may be the wider one, and that is not reckoned here: more than there are, in any case.
    return max([now + 1, *counts])


def _of_condition(condition: Condition, found: Contrast) -> int | None:
    distance = condition.distance(found)
    if condition.holds(found):
        return found.sequences
    squares = found.squares
    if distance <= 0 or squares is None or squares.half_width(MOST) >= distance:
        return None
    clips = bisect_left(range(found.clips, MOST), True, key=lambda count: squares.half_width(count) < distance)
    return ceil((found.clips + clips) * found.sequences / found.clips)
