"""Planted worlds get the verdict that they were planted for, and every rule is reached."""

from __future__ import annotations

import pytest

from trainer.study.judge import judge

from .planted import ALL, planted

BETTER = dict.fromkeys(ALL, 0.0) | {"d3": 0.08, "oracle": 0.15}
EQUAL = dict.fromkeys(ALL, 0.0) | {"oracle": 0.15}
WORLDS = {
    "void": BETTER | {"oracle": 0.01},
    "harms": EQUAL | {"d3": -0.05},
    "self-training suffices": BETTER | {"tir-tir": 0.11},
    "distillation helps": BETTER,
    "fine-tuning helps, the pairs do not": BETTER | dict.fromkeys(("shuffled", "rgb-rgb", "gray"), 0.1),
}


@pytest.mark.parametrize("deviation", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("name", WORLDS)
def test_a_world_gets_its_verdict(name: str, deviation: float) -> None:
    for seed in range(5):
        verdict = judge(planted(WORLDS[name], seed, seed_deviation=deviation))
        assert verdict.name == name
        assert verdict.sentence.startswith(f"{name} (rule {verdict.rule}): ")


@pytest.mark.parametrize("deviation", [0.0, 1.0])
def test_a_student_that_is_equal_has_no_effect_where_the_test_is_large(deviation: float) -> None:
    names = [judge(planted(EQUAL, seed, sequences=200, seed_deviation=deviation)).name for seed in range(20)]
    assert names.count("no effect") >= 18


def test_a_student_that_is_equal_never_helps_where_seeds_deviate_by_twice_the_error() -> None:
    names = [judge(planted(EQUAL, seed, seed_deviation=2.0)).name for seed in range(40)]
    assert set(names) <= {"undecided", "no effect", "harms", "fine-tuning helps, the pairs do not"}
    assert names.count("undecided") + names.count("no effect") >= 36


def test_an_undecided_verdict_tells_how_many_sequences_would_decide_and_they_do() -> None:
    gains = EQUAL | {"d3": 0.02}
    verdict = judge(planted(gains, 0, sequences=15, spread=0.04))
    assert (verdict.name, verdict.rule) == ("undecided", 7)
    assert verdict.needed_sequences is not None
    assert f"about {verdict.needed_sequences:,} sequences would decide" in verdict.sentence
    more = [judge(planted(gains, seed, sequences=3 * verdict.needed_sequences, spread=0.04)).name for seed in range(5)]
    assert "undecided" not in more


def test_where_seeds_spread_too_far_no_number_of_sequences_decides() -> None:
    verdict = judge(planted(EQUAL, 0, sequences=40, seed_deviation=12.0))
    assert verdict.name == "undecided"
    assert verdict.needed_sequences is None
    assert "no number of sequences would decide" in verdict.sentence


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_are_one_student(seeds: int) -> None:
    verdict = judge(planted(BETTER, 0, seeds=seeds))
    assert verdict.sentence.startswith("one student: distillation helps (rule 4): d3 − a1 +.0")
    assert verdict.seeds == seeds


def test_without_an_oracle_the_headroom_is_unknown() -> None:
    gains = {name: gain for name, gain in BETTER.items() if name != "oracle"}
    verdict = judge(planted(gains, 0))
    assert verdict.sentence.startswith("headroom unknown: distillation helps (rule 4)")
    assert verdict.sentence.endswith("(passed over: rule 1 has no oracle).")
    assert judge(planted(gains, 0, seeds=1)).sentence.startswith("one student: headroom unknown: distillation helps")


def test_a_rule_whose_runs_are_missing_is_passed_over_and_named() -> None:
    few = ("d3", "shuffled", "rgb-rgb", "oracle")
    verdict = judge(planted({name: BETTER[name] for name in few}, 0))
    assert verdict.passed_over == {3: ["tir-tir"], 4: ["gray"]}
    assert verdict.name == "undecided"
    assert verdict.needed_sequences is None
    assert "without the runs that are missing" in verdict.sentence
    fine = judge(planted({name: WORLDS["fine-tuning helps, the pairs do not"][name] for name in few}, 0))
    assert (fine.name, fine.rule, list(fine.passed_over)) == ("fine-tuning helps, the pairs do not", 5, [3, 4])
    assert fine.sentence.endswith("(passed over: rule 3 has no tir-tir; rule 4 has no gray).")


def test_nothing_at_all_is_undecided_and_says_so() -> None:
    verdict = judge(planted({}, 0))
    begins = "one student: headroom unknown: undecided (rule 7): nothing to judge (passed over"
    assert verdict.sentence.startswith(begins)
    assert set(verdict.passed_over) == {1, 2, 3, 4, 5, 6}


def test_another_row_is_judged_in_the_place_of_d3() -> None:
    scores = planted(EQUAL | {"d3": -0.05, "t3": 0.08}, 0)
    assert judge(scores).name == "harms"
    told = judge(scores, "t3")
    assert told.name == "distillation helps"
    assert "t3 − gray" in told.sentence


def test_what_lies_between_no_difference_and_a_margin_decides() -> None:
    """Wholly under +.01 is not wholly under 0, and −.01 is where self-training may lie."""
    world = BETTER | {"tir-tir": 0.084, "d3": 0.088}
    assert judge(planted(world, 0, sequences=400, spread=0.006)).name == "self-training suffices"
    assert judge(planted(world | {"tir-tir": 0.074}, 0, sequences=400, spread=0.006)).name == "distillation helps"
    assert judge(planted(BETTER | {"oracle": 0.028}, 0, sequences=400, spread=0.006)).name == "void"


def test_what_the_percentiles_alone_would_say_is_told() -> None:
    assert judge(planted(BETTER, 0)).by_percentiles == "distillation helps"
    scores = planted(EQUAL, 0, seed_deviation=2.0)
    found = judge(scores).contrasts["d3 − a1"]
    assert found.percentiles is not None and found.low is not None and found.high is not None
    assert found.low < found.percentiles[0] < found.percentiles[1] < found.high
