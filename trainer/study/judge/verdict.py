"""The verdict of a study: the first rule that fits, in one sentence that names it and its figures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainer.study.judge.contrasts import Contrast, contrast
from trainer.study.judge.needed import needed_sequences
from trainer.study.judge.rules import FEWEST_SEEDS, HEADROOM, Known, NothingToWin, Pair, Rule, called, figures, rules_of
from trainer.study.judge.scores import Arm, Scores
from trainer.study.judge.words import bound

UNDECIDED = 7


@dataclass(frozen=True)
class Verdict:
    """What a study says of one model.

    Attributes:
        candidate: name of the model.
        sentence: the verdict, with the rule that made it and its figures.
        name: the verdict alone, such as ``distillation helps``.
        rule: number of the rule.
        passed_over: number of each rule before it that could not be judged -> names of what it lacks.
        contrasts: by name, all that the rules look at and that are there.
        seeds: the fewest of the differences that were looked at to come to the rule.
        needed_sequences: of an undecided one, how many would decide; None where no number would.
        by_percentiles: what the verdict would be called by the crossed bootstrap's percentiles alone.
        asks: the rules in words, with what became of each.
    """

    candidate: str
    sentence: str
    name: str
    rule: int
    passed_over: dict[int, list[str]]
    contrasts: dict[str, Contrast]
    seeds: int
    needed_sequences: int | None
    by_percentiles: str
    asks: list[tuple[int, str, str, str]]

    def told(self) -> dict[str, object]:
        """As ``verdict.json`` has it."""
        plain = {key: value for key, value in vars(self).items() if key != "contrasts"}
        return plain | {"contrasts": {name: found.told() for name, found in self.contrasts.items()}}


def judge(scores: Scores, candidate: str = "d3") -> Verdict:
    """Judge a row by the rules.

    Args:
        scores: the deciding figure of the two-frame test on thermal pictures.
        candidate: the row in d3's place.
    """
    rules = rules_of(Arm(candidate))
    pairs = list(dict.fromkeys(pair for rule in rules for pair in rule.pairs))
    known = {pair: found for pair in pairs if (found := contrast(scores, *pair)) is not None}
    fitting = _first(rules, known)
    tried = rules[: fitting.number] if fitting else rules
    passed = {rule.number: rule.missing(known) for rule in tried if rule.missing(known)}
    looked = [pair for rule in tried if rule.number not in passed for pair in rule.pairs] or list(known)
    seeds = min((known[pair].seeds for pair in looked if pair in known), default=0)
    needed = None if fitting else needed_sequences(rules[1:], known)
    name = fitting.name if fitting else "undecided"
    plain = _first(rules, {pair: _percentiles(found) for pair, found in known.items()})
    return Verdict(
        candidate,
        _sentence(fitting, known, pairs, passed, seeds, needed),
        name,
        fitting.number if fitting else UNDECIDED,
        passed,
        {called(pair): found for pair, found in known.items()},
        seeds,
        needed,
        plain.name if plain else "undecided",
        [(rule.number, rule.name, rule.asks, _became(rule, known, fitting)) for rule in rules],
    )


def _first(rules: list[Rule], known: Known) -> Rule | None:
    return next((rule for rule in rules if not rule.missing(known) and rule.fits(known)), None)


def _percentiles(found: Contrast) -> Contrast:
    low, high = found.percentiles or (None, None)
    return replace(found, low=low, high=high)


def _became(rule: Rule, known: Known, fitting: Rule | None) -> str:
    if missing := rule.missing(known):
        return f"passed over: no {', '.join(missing)}"
    if fitting and rule.number > fitting.number:
        return "not reached"
    told = figures(rule.pairs, known)
    return f"{'fits' if rule is fitting else 'does not fit'}: {told}"


def _sentence(
    fitting: Rule | None,
    known: Known,
    pairs: list[Pair],
    passed: dict[int, list[str]],
    seeds: int,
    needed: int | None,
) -> str:
    student = "one student: " if seeds < FEWEST_SEEDS else ""
    headroom = "headroom unknown: " if 1 in passed else ""
    if fitting is None:
        told = [f"undecided (rule {UNDECIDED})", figures(pairs[1:], known) or "nothing to judge"]
        end = f"; {_more(needed, passed)}" if known else ""
    else:
        told = [f"{fitting.name} (rule {fitting.number})", figures(fitting.pairs, known)]
        end = f", not above {bound(HEADROOM)} with its interval above 0" if isinstance(fitting, NothingToWin) else ""
    over = "; ".join(f"rule {number} has no {', '.join(missing)}" for number, missing in passed.items())
    return f"{student}{headroom}{': '.join(told)}{end}{f' (passed over: {over})' if over else ''}."


def _more(needed: int | None, passed: dict[int, list[str]]) -> str:
    if needed is not None:
        return f"about {needed:,} sequences would decide, were the differences to stay as they are"
    if set(passed) - {1}:
        return "no number of sequences would decide without the runs that are missing, or without more seeds"
    return "no number of sequences would decide, were the differences to stay as they are: more seeds might"
