"""Tables and plots: order, shown trackers, the wording of intervals, and names that are no plain words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.pages.html import svg
from trainer.evaluate.bootstrap import Difference
from trainer.evaluate.report.plots import draw_attributes, draw_curves, label, styles
from trainer.evaluate.report.tables import (
    alone_best,
    chosen_pairs,
    interval,
    percent,
    ranks,
    verdict,
    write_tables,
)
from trainer.evaluate.score_trackers import SHOWN, Evaluation, evaluate
from trainer.evaluate.scores import ScoredTracker

from ..conftest import World


@pytest.fixture
def evaluation(world: World) -> Evaluation:
    """Two own trackers, and fifteen published ones that are better than both."""
    own = [("lost", world.folder("lost")), ("near", world.folder("near"))]
    made = evaluate(world.dataset, world.folder("truth"), own, None, world.folder("attributes"))
    flat = {metric: np.full((3, len(curve[0])), 0.9) for metric, curve in made.trackers[0].curves.items()}
    extra = [ScoredTracker(f"paper{n:02d}", {m: curve + 0.001 * n for m, curve in flat.items()}) for n in range(15)]
    return replace(made, trackers=(*made.trackers, *extra))


def test_own_trackers_are_always_shown_and_the_best_of_the_others(evaluation: Evaluation) -> None:
    names = [tracker.name for tracker in evaluation.shown()]
    assert len(names) == SHOWN
    assert names[:2] == ["paper14", "paper13"]
    assert names[-2:] == ["near", "lost"]
    assert [tracker.name for tracker in evaluation.shown(3)] == ["paper14", "near", "lost"]
    looks = styles(evaluation.shown())
    assert len({(look.colour, look.dashes) for look in looks.values()}) == SHOWN


def test_the_legend_ranks_by_the_plot_s_own_score(evaluation: Evaluation) -> None:
    drawn = draw_curves(evaluation, "precision", styles(evaluation.shown()))
    texts = [text.get_text() for text in drawn.axes[0].get_legend().get_texts()]
    assert texts[:2] == ["[1.000] near", "[0.914] paper14"]
    assert texts[-1] == "5 more"
    shown = [float(text[1:6]) for text in texts[:-1]]
    assert shown == sorted(shown, reverse=True)
    assert len(draw_attributes(evaluation, evaluation.shown()[:3], styles(evaluation.shown())).axes[0].containers) == 3


def test_differences_read_as_papers_write_them() -> None:
    pair = Difference("a", "b", "success", 0.018, 0.004, 0.031, 60)
    assert interval(pair) == "+1.8 S [0.4, 3.1]"
    assert verdict(pair) == "a is better"
    assert interval(pair.flipped()) == "-1.8 S [-3.1, -0.4]"
    assert verdict(pair.flipped()) == "a is better"
    assert verdict(replace(pair, low=-0.001)) == "undecided: the interval holds 0"
    assert interval(replace(pair, low=None, high=None, metric="precision")) == "+1.8 P no interval"
    assert verdict(replace(pair, low=None, high=None)) == "one sequence: nothing can be said"
    assert (percent(None), percent(float("nan")), percent(0.6164)) == ("–", "–", "61.6")


def test_of_what_is_printed_alike_neither_is_the_best(evaluation: Evaluation) -> None:
    assert alone_best([0.5, None, 0.6161, 0.615]) == [False, False, True, False]
    assert alone_best([0.6161, 0.6162, 0.5]) == [False, False, False]
    assert alone_best([0.5]) == alone_best([None]) == [False]
    assert alone_best([0.5, float("nan")]) == [True, False]
    first, second, *others = evaluation.ranked()
    near = replace(first, name="twin", curves={m: curve - 1e-5 for m, curve in first.curves.items()})
    assert ranks([first, near, second, *others])[:3] == [1, 1, 3]


def test_own_pairs_come_first_and_without_own_the_best_leads(evaluation: Evaluation) -> None:
    names = [tracker.name for tracker in evaluation.trackers]
    pairs = tuple(Difference(a, b, "success", 0.1, 0, 0.2, 3) for i, a in enumerate(names) for b in names[i + 1 :])
    full = replace(evaluation, differences=pairs)
    chosen = [(row[0].first, row[0].second) for row in chosen_pairs(full)]
    assert chosen[:3] == [("lost", "near"), ("near", "paper14"), ("near", "paper13")]
    assert len(chosen) == 1 + 2 * (SHOWN - 2)
    published = replace(full, trackers=full.trackers[2:])
    leads = [row[0] for row in chosen_pairs(published)]
    assert {pair.first for pair in leads} == {"paper14"}
    assert all(pair.value == -0.1 for pair in leads)


def test_names_cannot_break_out_of_tables_or_drawings(evaluation: Evaluation) -> None:
    hostile = "<script>|`x`$\\frac$&[a](b)"
    renamed = replace(evaluation.trackers[0], name=hostile)
    changed = replace(evaluation, trackers=(renamed, *evaluation.trackers[1:]))
    text = write_tables(changed)
    assert "<script>" not in text
    assert "](b)" not in text.replace("\\](", "")
    rows = [line for line in text.splitlines() if line.startswith("|") and "paper14" in line]
    assert len({line.replace("\\|", "").count("|") for line in rows if line.startswith("| attribute")}) == 1
    drawn = svg(draw_curves(changed, "success", styles(changed.shown())))
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn
    assert len(label("x" * 80)) == 26


def test_the_attribute_table_ends_with_all(evaluation: Evaluation) -> None:
    lines = [line for line in write_tables(evaluation).splitlines() if line.startswith("| ")]
    occlusion, fast, everything = lines[-3:]
    assert occlusion.startswith("| occlusion (2) | 91.4/91.4/91.4 |")
    assert fast.startswith("| fast motion (1) | –/–/– |")
    assert everything.startswith("| All (3) | 91.4/91.4/91.4 |")
