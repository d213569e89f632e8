"""The page of a run: what was learnt and what to do next, no loss drawn twice, trivial answers beside the figures."""

from __future__ import annotations

import json
import shlex
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from trainer.measure.summary import figures
from trainer.pages import run_page
from trainer.pages.figure_plots import figure_plots
from trainer.pages.held_out_section import held_out_section
from trainer.pages.loss_curves import curves, losses_of
from trainer.pages.next_steps import NOTHING, UNMEASURED, next_steps, verdict

from ...offered import parsed


def measured(student: float, spread: float = 0.01, sequences: int = 12, kind: str = "two frames") -> dict[str, Any]:
    """``held_out.json`` of a start of IoU .5, a middle of .3 and a student, on sequences that differ by ``spread``."""
    own = {"start": 0.5, "student": student, "the middle": 0.3, "the reference's box kept": 1.0}
    shift = [spread * (-1) ** place for place in range(sequences)]
    scores = {
        name: {"TIR alone": {"iou_from_peak": [value + each * (name == "student") for each in shift]}}
        for name, value in own.items()
    }
    test = {"kind": kind, "windows": 40, "sequences": [f"s{place}" for place in range(sequences)], "fewest": 10}
    return {"test": test, "figures": figures(scores, 0)}


@pytest.mark.parametrize(
    ("student", "spread", "sequences", "said"),
    [
        (0.6, 0.01, 12, "better than its start: IoU from the peak +0.1 [+0.0"),
        (0.4, 0.01, 12, "worse than its start, IoU from the peak -0.1 [-0.1"),
        (0.51, 0.2, 12, "are not told apart, IoU from the peak +0.01 [-0."),
        (0.6, 0.01, 4, "of 4 held-out sequences, which are too few to tell luck from gain"),
    ],
)
def test_what_was_learnt_is_said_by_the_interval(student: float, spread: float, sequences: int, said: str) -> None:
    assert said in verdict(measured(student, spread, sequences, "same frame"))[0]


def test_a_student_below_what_needs_no_network_is_said_to_be() -> None:
    (_, beaten) = verdict(measured(0.2, kind="same frame"))
    assert beaten == "It finds no more than the middle does, which needs no network: do not track with it."
    (_, beaten) = verdict(measured(0.6))
    assert beaten.startswith("It finds no more than the reference's box kept does"), "the best of them is named"
    assert len(verdict(measured(0.6, kind="same frame"))) == 1, "there it is the truth itself"
    assert verdict({"relative_change": {}}) == [NOTHING]


def test_a_run_whose_start_was_not_measured_has_a_page() -> None:
    """It began in a version before there was the test."""
    content = measured(0.6, kind="same frame")
    answers = content["figures"]["TIR alone"]["iou_from_peak"]
    del answers["start"], answers["student - start"]
    assert verdict(content) == [UNMEASURED]
    assert "student" in figure_plots(content)[0]


def test_the_commands_are_those_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my dimp18.pth").touch()
    settings = {"tracker": "dimp18", "recipe": "d3", "shards": ["my shards"], "init": ["my dimp18.pth"]}
    section = next_steps(Path("runs/my run"), settings | {"patches": "random"}, measured(0.6))
    commands = [str(row[1]) for row in section.table[1:]]
    for command in commands:
        parsed(shlex.split(unescape(command.removeprefix("<code>").removesuffix("</code>"))))
    assert any("cmd-track" in each and "--weights &#39;runs/my run&#39;" in each for each in commands)
    fed = "--shards &#39;my shards&#39; --patches random --recipe d3 --tracker dimp18"
    assert any(f"cmd-train feeds {fed} --out" in each for each in commands)
    assert any("cmd-train study --tracker dimp18 --init &#39;my dimp18.pth&#39;" in each for each in commands)


def test_what_needs_no_network_is_a_line() -> None:
    (drawn,) = figure_plots(measured(0.6))
    for name in ("start", "student", "the middle", "the reference's box kept", "IoU from the peak ↑"):
        assert name in drawn.replace("&#39;", "'")
    assert "box kept" not in figure_plots(measured(0.6, kind="same frame"))[0]
    section = held_out_section(measured(0.6))
    assert "↑" in str(section.table[1][0])
    assert figure_plots({"figures": {}, "test": {"kind": "two frames"}}) == []


def test_losses_have_intervals_where_sequences_are_enough() -> None:
    named = {"loss": [0.5 + 0.01 * place for place in range(12)], "tcl": [0.5 + 0.01 * place for place in range(12)]}
    after = {name: [value - 0.1 for value in each] for name, each in named.items()}
    both = figures({"start": {"as trained": named}, "student": {"as trained": after}}, 0)["as trained"]
    content: dict[str, Any] = {
        "before": {"losses": {"loss": 9.0, "tcl": 9.0}},
        "after": {"losses": {"loss": 8.0, "tcl": 8.0}},
    }
    (_, row), note = run_page._losses(content).table, run_page._losses(content).note
    assert row == ("L_TCL", "9", "8", "-1")
    assert "without intervals: those need 10" in note
    content["after"]["loss_figures"] = both
    (_, row), note = run_page._losses(content).table, run_page._losses(content).note
    assert row[0] == "L_TCL"
    assert str(row[1]).startswith("0.555 [0.5")
    assert row[3] == "-0.1 [-0.1, -0.1]", "paired: every sequence has lost as much"
    assert "95 % interval" in note


@pytest.mark.parametrize(
    ("parts", "drawn"),
    [(("tcl",), ["L_TCL ↓"]), (("bbe",), ["L_BBE ↓"]), (("tcl", "bbe"), ["L ↓", "L_TCL ↓", "L_BBE ↓"])],
)
def test_no_loss_is_drawn_twice(tmp_path: Path, parts: tuple[str, ...], drawn: list[str]) -> None:
    losses = dict.fromkeys(("loss", *parts), 0.5)
    rows = [{"epoch": -1, "held_out": True, **losses}, {"epoch": 0, "step": 1, **losses}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [axes.get_title() for axes in curves(tmp_path / "metrics.jsonl", "").axes] == drawn
    assert len(losses_of(losses)) == len(drawn)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "Fed: reference rgb, test tir, center patches."),
        ({"feed": "tir-tir"}, "Fed: reference tir, test tir, center patches."),
        ({"feed": "gray"}, "Fed: reference gray, test gray, center patches."),
        ({"pairs": "shuffled"}, "test tir, center patches. TIR is that of another sequence."),
        ({"misalign": 5.0}, "test tir, center patches. TIR is shifted by 5 px."),
    ],
)
def test_what_was_fed_is_told_under_the_control_that_a_run_was(settings: dict[str, Any], said: str) -> None:
    assert run_page._fed({"reference": "rgb", "test": "tir"}, settings, ["center"]).endswith(said)
