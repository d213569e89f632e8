"""A study's runs begin with what its verdict asks for, and none before what it needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.study.plan import Run, model_of
from trainer.study.plan.order import in_order
from trainer.study.plan.run import Model


def made(row: str, control: str = "", seed: int | None = 0, needs: tuple[str, ...] = ()) -> list[Run]:
    """A model and its measurement."""
    name = Model(row, control, seed).name
    train = Run(f"runs/{name}", ("trainer",), needs, 1.0, name, row, control, seed)
    return [train, Run(f"found/{name}", ("trainer",), (train.id,), 1.0, f"{name}.json", row, control, seed, "test")]


def test_the_verdict_comes_first_seed_by_seed_then_rows_then_what_no_rule_reads() -> None:
    runs = [Run("data", ("pipeline",), (), 1.0, "data")]
    for seed in (0, 1):
        for row, control in (("d1", ""), ("d3", "features"), ("d3", "shuffled"), ("d3", "")):
            runs += made(row, control, seed, ("data",))
    found = [run.id for run in in_order(runs) if run.set]
    assert found == [
        *("found/d3~shuffled~0", "found/d3~~0", "found/d3~shuffled~1", "found/d3~~1"),
        *("found/d1~~0", "found/d1~~1", "found/d3~features~0", "found/d3~features~1"),
    ]


@given(st.data())
def test_no_run_begins_before_what_it_needs(data: st.DataObject) -> None:
    rows = st.sampled_from(["a1", "d1", "d3", ""])
    controls = st.sampled_from(["", "shuffled", "bn"])
    runs: list[Run] = []
    for number in range(data.draw(st.integers(0, 12))):
        needs = data.draw(st.lists(st.sampled_from([run.id for run in runs]), unique=True)) if runs else []
        place = data.draw(rows), data.draw(controls), data.draw(st.sampled_from([None, 0, 1]))
        kind = data.draw(st.sampled_from(["", "test"]))
        runs.append(Run(str(number), ("trainer",), tuple(needs), 1.0, "x", *place, kind))
    begun: set[str] = set()
    for run in in_order(runs):
        assert begun.issuperset(run.needs)
        begun.add(run.id)
    assert begun == {run.id for run in runs}


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([Run("a", (), (), 1, "a"), Run("a", (), (), 1, "a")], "two runs are called a"),
        ([Run("a", (), ("b",), 1, "a"), Run("b", (), (), 1, "b")], "a needs b, which is not before it"),
    ],
)
def test_a_world_that_makes_no_sense_is_refused(runs: list[Run], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        in_order(runs)


@given(
    st.builds(
        Model,
        st.sampled_from(["a1", "d3", "bc"]),
        st.sampled_from(["", "rgb-rgb", "misalign-5"]),
        st.none() | st.integers(0, 99),
        st.none() | st.sampled_from([10.0, 100.0, 1000.0, 0.5]),
    )
)
def test_a_model_is_read_back_from_its_name(model: Model) -> None:
    assert model_of(model.name) == model


def test_names_of_models_are_those_that_are_agreed() -> None:
    assert Model("a1").name == "a1~~"
    assert Model("d3", "shuffled", 2).name == "d3~shuffled~2"
    assert Model("d3", "", 0, 1000.0).name == "d3~~0~1000"
