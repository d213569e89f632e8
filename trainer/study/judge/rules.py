"""The rules of a verdict, as they were fixed before anything was measured; the first that fits is the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trainer.study.judge.contrasts import MINUS, Contrast
from trainer.study.judge.scores import A1, Arm
from trainer.study.judge.words import bound, interval

MARGIN = 0.01
"""Differences of IoU within which two models are as good."""
HEADROOM = 0.03
"""What the oracle must have over a1 for there to be something to win."""
FEWEST_SEEDS = 3
"""Under which a verdict is of one student."""
CONTROLS = ("shuffled", "rgb-rgb", "gray", "tir-tir", "oracle")
"""What a rule looks at beside the candidate and a1."""
SHUFFLED, RGB_RGB, GRAY, TIR_TIR, ORACLE = (Arm("d3", control) for control in CONTROLS)
Pair = tuple[Arm, Arm]
Known = Mapping[Pair, Contrast]


@dataclass(frozen=True)
class Condition:
    """That the whole interval of a difference lies on one side of a bound."""

    pair: Pair
    side: Literal["above", "under"]
    bound: float = 0.0

    def holds(self, found: Contrast) -> bool:
        """Whether it does; never without an interval."""
        if found.low is None or found.high is None:
            return False
        return found.low > self.bound if self.side == "above" else found.high < self.bound

    def distance(self, found: Contrast) -> float:
        """From the bound to the value, to the side where it should lie; negative on the other."""
        return (found.value - self.bound) * (1 if self.side == "above" else -1)


@dataclass(frozen=True)
class Rule:
    """One rule: a name, and what must hold for it.

    Attributes:
        number: its place.
        name: what the verdict is called.
        asks: the rule in words.
        conditions: all must hold.
    """

    number: int
    name: str
    asks: str
    conditions: tuple[Condition, ...]

    @property
    def pairs(self) -> list[Pair]:
        """The differences that it looks at, each once."""
        return list(dict.fromkeys(condition.pair for condition in self.conditions))

    def missing(self, known: Known) -> list[str]:
        """Names of the models whose runs it lacks."""
        pairs = [pair for pair in self.pairs if pair not in known]
        lacking = dict.fromkeys(model for pair in pairs for model in pair)
        here = {model for pair in known for model in pair}
        return [model.name for model in lacking if model not in here] or [called(pair) for pair in pairs]

    def fits(self, known: Known) -> bool:
        """Whether all of it holds; its runs are there."""
        return all(condition.holds(known[condition.pair]) for condition in self.conditions)


@dataclass(frozen=True)
class NothingToWin(Rule):
    """The first rule: void unless the oracle has enough over a1."""

    def fits(self, known: Known) -> bool:
        """Whether the oracle does not have ``HEADROOM`` over a1, with its interval above 0."""
        return known[self.pairs[0]].value <= HEADROOM or not super().fits(known)


def rules_of(candidate: Arm) -> list[Rule]:
    """The rules 1 to 6, with a model in d3's place; what none of them fits is undecided, rule 7."""
    gain, name = (candidate, A1), candidate.name
    better = Condition(gain, "above")
    shuffled, rgb, gray = ((candidate, control) for control in (SHUFFLED, RGB_RGB, GRAY))
    margin, less = bound(MARGIN), bound(-MARGIN)
    return [
        NothingToWin(
            1,
            "void",
            f"oracle − a1 not above {bound(HEADROOM)} with its interval above 0",
            (Condition((ORACLE, A1), "above"),),
        ),
        Rule(2, "harms", f"{name} − a1 wholly under 0", (Condition(gain, "under"),)),
        Rule(
            3,
            "self-training suffices",
            f"{name} − a1 above 0 and tir-tir − {name} wholly above {less}",
            (better, Condition((TIR_TIR, candidate), "above", -MARGIN)),
        ),
        Rule(
            4,
            "distillation helps",
            f"{name} − a1, {name} − shuffled, {name} − rgb-rgb and {name} − gray all above 0",
            (better, *(Condition(pair, "above") for pair in (shuffled, rgb, gray))),
        ),
        Rule(
            5,
            "fine-tuning helps, the pairs do not",
            f"{name} − a1 above 0, and {name} − shuffled wholly under {margin}",
            (better, Condition(shuffled, "under", MARGIN)),
        ),
        Rule(
            6,
            "no effect",
            f"{name} − a1 wholly within ±{margin.removeprefix('+')}",
            (Condition(gain, "above", -MARGIN), Condition(gain, "under", MARGIN)),
        ),
    ]


def called(pair: Pair) -> str:
    """A difference by its name."""
    return f"{pair[0].name}{MINUS}{pair[1].name}"


def figures(pairs: list[Pair], known: Known) -> str:
    """Differences with their intervals, those that are known."""
    return ", ".join(
        f"{called(pair)} {interval(known[pair].value, known[pair].low, known[pair].high)}"
        for pair in pairs
        if pair in known
    )
