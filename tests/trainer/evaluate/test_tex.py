"""``tables.tex``: the same scores as elsewhere, the best in bold where it is alone, and nothing that breaks a row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainer.evaluate.bootstrap import Difference
from trainer.evaluate.report.tables import percent
from trainer.evaluate.report.tex import write_tex
from trainer.evaluate.score_trackers import Evaluation, evaluate

from ..conftest import World


@pytest.fixture
def evaluation(world: World) -> Evaluation:
    """Three trackers, of which one is a yardstick and one has a name that LaTeX would read as its own."""
    own = [(name, world.folder(name)) for name in ("perfect", "near", "lost")]
    made = evaluate(world.dataset, world.folder("truth"), own, None, world.folder("attributes"))
    perfect, near, lost = made.trackers
    trackers = (perfect, replace(near, name="50 %_&[near]"), replace(lost, yardstick=True))
    return replace(made, trackers=trackers, warnings=("5 of\n120",))


def rows(text: str, label: str) -> list[list[str]]:
    """Cells of each row of one table, its head first."""
    body = text[text.index(f"\\label{{tab:{label}}}") :]
    lines = body[: body.index("\\bottomrule")].splitlines()
    return [line.removesuffix(" \\\\").split(" & ") for line in lines if line.endswith(" \\\\")]


def test_scores_are_those_of_the_other_tables_and_yardsticks_stand_apart(evaluation: Evaluation) -> None:
    text = write_tex(evaluation)
    head, perfect, near, lost = rows(text, "overall")
    assert head == ["tracker", "S", "P", "NP"]
    assert perfect == ["perfect", r"\textbf{95.2}", "100.0", r"\textbf{100.0}"], "P is 100.0 of both"
    assert near == [
        r"50 \%\_\&{[}near]",
        *(percent(evaluation.trackers[1].score(m)) for m in evaluation.benchmark.metrics),
    ]
    assert lost[0] == "lost"
    assert text.index("\\midrule\nlost") > text.index("\\midrule\nperfect")
    assert "Below the line: yardsticks" in text
    assert "% mind: 5 of 120\n" in text
    assert text.count("\\begin{") == text.count("\\end{") == 6


def test_a_part_of_a_benchmark_is_said_to_be_one(world: World) -> None:
    own = [("near", world.folder("near"))]
    made = evaluate(world.dataset, world.folder("truth"), own, only=("car_V_001", "dog_D_001"))
    text = write_tex(made)
    assert "on 2 of 3 sequences" in text
    assert "bf" not in text, "no best of one"
    assert "tab:differences" not in text


def test_attributes_have_the_best_of_each_measure_in_bold(evaluation: Evaluation) -> None:
    head, occlusion, fast, every = rows(write_tex(evaluation), "attributes")
    assert head[:2] == ["attribute", "perfect"]
    assert occlusion[:2] == ["occlusion (2)", r"\textbf{95.2}/100.0/\textbf{100.0}"]
    assert fast == ["fast motion (1)", *["--/--/--"] * 3]
    assert every[0] == "all (3)"


@pytest.mark.parametrize(
    ("sequences", "low", "cell", "told"),
    [
        (60, 0.004, r"$\mathbf{+1.8\;[0.4,\,3.1]}$", "bold where it leaves out 0"),
        (60, -0.004, r"$+1.8\;[-0.4,\,3.1]$", "bold where it leaves out 0"),
        (6, 0.004, r"$+1.8\;[0.4,\,3.1]$", "too few sequences to decide anything"),
        (1, None, "$+1.8$", "too few sequences to decide anything"),
    ],
)
def test_a_difference_is_bold_where_it_is_decided(
    evaluation: Evaluation, sequences: int, low: float | None, cell: str, told: str
) -> None:
    pair = Difference("perfect", "lost", "success", 0.018, low, None if low is None else 0.031, sequences)
    text = write_tex(replace(evaluation, differences=(pair,)))
    assert rows(text, "differences")[1] == ["perfect $-$ lost", cell]
    assert told in text
