"""A budget leaves out controls, seeds and rows by a stated order, says which, and never the pair that is judged."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from trainer.study.plan import Run
from trainer.study.plan.budget import fit
from trainer.study.plan.forecast import scale_of, seconds_to_go
from trainer.study.plan.plan import Plan
from trainer.study.settings import Scope

ALL = Scope(
    ("a1", "b1", "b3", "c1", "d1", "d3", "t3"), ("shuffled", "oracle", "bn", "features", "misalign-5", "mine"), 3
)
TURN = ["features", "misalign-5", "bn", "mine", "seed 2", "seed 1", "t3", "d1", "shuffled", "oracle"]


def an_hour_each(scope: Scope) -> list[Run]:
    """A run of an hour for each row and control of each seed."""
    names = (*scope.rows, *scope.controls)
    return [Run(f"{name}/{seed}", ("trainer",), (), 3600.0, "x") for name in names for seed in range(scope.seeds)]


@pytest.mark.parametrize(
    ("hours", "left_out"), [(39, 0), (36, 1), (27, 4), (18, 5), (17, 6), (9, 6), (8.5, 7), (5, 10)]
)
def test_what_is_left_out_is_as_little_as_is_enough_in_the_stated_order(hours: float, left_out: int) -> None:
    scope, dropped = fit(ALL, an_hour_each, hours)
    assert dropped == TURN[:left_out]
    assert sum(run.cost_s for run in an_hour_each(scope)) <= hours * 3600
    assert {"a1", "b1", "b3", "c1", "d3"} <= set(scope.rows)


def test_without_a_budget_nothing_is_left_out() -> None:
    assert fit(ALL, an_hour_each, None) == (ALL, [])


def test_a_budget_for_less_than_the_judged_pair_is_refused_with_what_that_takes() -> None:
    with pytest.raises(UsageError, match=r"--budget 4h: a1 and d3 alone are expected to take 5 CPU-hours"):
        fit(ALL, an_hour_each, 4)


CHAIN = [
    Run("a", (), (), 10.0, "a"),
    Run("b", (), ("a",), 20.0, "b"),
    Run("c", (), ("a",), 30.0, "c"),
    Run("d", (), ("b", "c"), 5.0, "d"),
]


@pytest.mark.parametrize(
    ("workers", "done", "begun", "seconds"),
    [
        (1, (), {}, 65),
        (2, (), {}, 45),
        (9, (), {}, 45),
        (2, ("a",), {"b": 15.0}, 35),
        (1, ("a",), {"b": 15.0}, 40),
        (1, ("a",), {"b": 99.0}, 35),
        (1, ("a", "b", "c", "d"), {}, 0),
    ],
)
def test_the_time_to_go_is_that_of_runs_that_wait_for_one_another(
    workers: int, done: tuple[str, ...], begun: dict[str, float], seconds: float
) -> None:
    assert seconds_to_go(CHAIN, done, begun, workers) == seconds


def test_what_waits_for_a_failed_run_is_not_waited_for() -> None:
    assert seconds_to_go(CHAIN[1:], (), {}, 1) == 0


def test_a_slow_machine_is_believed_the_more_the_longer_it_was_watched() -> None:
    assert scale_of([], []) == 1
    assert 1 < scale_of([10], [20]) < scale_of([1000], [2000]) < 2
    assert seconds_to_go(CHAIN, (), {}, 1, 2.0) == 130


def test_the_plan_says_what_it_leaves_out_and_not_who_works_on_it() -> None:
    runs = (*CHAIN, Run("e", (), (), 0.0, "e", spared_s=3600.0))
    plans = [
        Plan({"preset": "quick", "init": "0" * 64}, ALL, ("features",), runs, {}, {}, {}, workers) for workers in (1, 2)
    ]
    assert plans[0].record() == plans[1].record()
    assert plans[0].record()["dropped"] == ["features"]
    shown = dict(plans[1].rows())
    assert shown["left out by --budget"] == "features"
    assert shown["expected hours, 2 side by side"] == f"{45 / 3600:.2g}"
    assert shown["saved by shared features"] == "1 CPU-hours"
    assert plans[0].record()["saved_by_shared_features"] == "1 CPU-hours"
    assert "init" not in shown
