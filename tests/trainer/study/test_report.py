"""The report of a study that was planted, whole and in part."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.errors import DataError
from trainer.study.report import write_report

from ...page_parts import check_parts
from .study_world import add_pictures, make_study, results


class Outline(HTMLParser):
    """Headings of a page, and how many plots and pictures it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.count = {"svg": 0, "img": 0}
        self._in = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag == "h2"
        if tag in self.count:
            self.count[tag] += 1

    def handle_data(self, data: str) -> None:
        if self._in:
            self.headings.append(data)
            self._in = False


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(tmp_path_factory.mktemp("study") / "whole", results())
    add_pictures(study)
    write_report(study)
    return study


def test_the_verdict_stands_first_with_the_rule_that_made_it(whole: Path) -> None:
    verdict = json.loads((whole / "verdict.json").read_text())["verdicts"]["d3"]
    assert verdict["sentence"].startswith("distillation helps (rule 4): d3 − a1 +.0")
    page = (whole / "report.html").read_text()
    check_parts(page)
    assert page.index(verdict["sentence"]) < page.index('class="facts"')
    assert f"**{verdict['sentence']}**" in (whole / "report.md").read_text().splitlines()[2]
    assert Outline(page).headings[0] == f"d3, the verdict: {verdict['sentence']}"


def test_the_page_shows_all_that_was_found(whole: Path) -> None:
    outline = Outline((whole / "report.html").read_text())
    assert [heading.split(":")[0] for heading in outline.headings] == [
        "d3, the verdict",
        "t3, a second verdict",
        "Difference to the teacher",
        "Share of the headroom that was won",
        "What registration is worth",
        "Gain against rate_scale",
        "Beside the trivial answers",
        "Day, night and other attributes",
        "One-pass evaluation",
        "Before and after",
        "Every sequence",
        "Costs",
        "How to repeat it",
    ]
    assert outline.count == {"svg": 5, "img": 8}


def test_text_and_table_say_the_same(whole: Path) -> None:
    found = json.loads((whole / "verdict.json").read_text())
    gain = next(m["gain"] for m in found["models"] if (m["row"], m["control"], m["test"]) == ("d3", "", "two-frame"))
    three = f"{gain['value']:.3f}".removeprefix("0")
    assert "| d3 | 3 |" in (whole / "report.md").read_text()
    assert f"+{three} [" in (whole / "report.md").read_text()
    tex = (whole / "report.tex").read_text()
    assert f"$+{three}$" in tex
    assert tex.count("\\begin{") == tex.count("\\end{") == 2
    body = tex[tex.index("\\midrule") : tex.index("\\bottomrule")].splitlines()[1:]
    assert {line.count(" & ") for line in body} == {4}
    assert any(line.startswith("d3 & ") and line.endswith(r"$+.018$ \\") for line in body)


def test_the_command_that_repeats_it_is_told(whole: Path) -> None:
    command = "cmd-train study --out STUDY --init 'my weights.pth' --preset laptop"
    assert command in (whole / "report.md").read_text()


def test_of_a_chosen_rate_it_is_told_where_a_further_one_might_be_better_and_how_short_the_tries_were(
    tmp_path: Path,
) -> None:
    taken = {"": 10.0, "shuffled": 100.0}
    rows = [
        row.model_copy(update={"rate_scale": taken[row.control]})
        if (row.set, row.row, row.seed) == ("test", "d3", 0) and row.control in taken
        else row
        for row in results(12)
    ]
    study = make_study(tmp_path / "study", rows)
    write_report(study)
    text = (study / "report.md").read_text()
    assert "A try is 300 steps of each row in place of 600" in text
    chosen = {line.split(" | ")[1]: line.split(" | ")[-1] for line in text.splitlines() if "| chosen" in line}
    assert chosen["10"].startswith("chosen, the lowest tried")
    assert chosen["100"].startswith("chosen |")


def test_what_an_earlier_and_larger_study_left_is_not_shown(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", results(12, {"d3": 0.08}, seeds=1))
    add_pictures(study)
    (study / "pictures/d3~~0").rename(study / "pictures/t3~~0")
    with (study / "costs.jsonl").open("a") as costs:
        cost = {"id": "runs/gone", "command": "", "cpu_s": 5e6, "wall_s": 1.0, "expected_s": 1.0, "starts": 1}
        costs.write(json.dumps(cost) + "\n")
    page = write_report(study).read_text()
    assert Outline(page).count["img"] == 4
    assert "5000000" not in (study / "report.md").read_text()


def test_a_study_of_a_part_says_what_is_missing(tmp_path: Path) -> None:
    few = {"d3": 0.08, "shuffled": 0.03}
    rows = [
        row
        for row in results(12, few, seeds=1)
        if row.row not in ("bc", "the middle") and row.set == "test" and row.modality == "tir"
    ]
    study = make_study(tmp_path / "study", rows, ended=0.5, dropped=("seed 2", "seed 1", "gray"))
    write_report(study)
    text = (study / "report.md").read_text()
    assert text.splitlines()[2].startswith("**one student: headroom unknown: undecided (rule 7): ")
    assert "rule 4 has no rgb-rgb, gray" in text
    assert "seed 2, seed 1, gray" in text
    assert re.search(r"not run yet \| 3 of 6 runs", text)
    assert "unknown: no oracle" in text
    assert "What registration is worth" not in text


def test_a_study_without_any_result_has_a_page(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [])
    assert "nothing to judge" in write_report(study).read_text()


def test_attributes_come_from_a_file_where_there_is_one(tmp_path: Path) -> None:
    rows = results(12)
    study = make_study(tmp_path / "study", rows)
    names = sorted({row.sequence for row in rows})
    (study / "attributes.json").write_text(json.dumps({name: ["<rain>"] for name in names[:5]}))
    page = write_report(study).read_text()
    assert "<td>&lt;rain&gt;</td><td>5</td>" in page
    (study / "attributes.json").write_text(json.dumps({names[0]: "rain"}))
    with pytest.raises(DataError, match="list of attributes"):
        write_report(study)


def test_without_a_verdict_it_is_said_what_to_do(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [])
    (study / "verdict.json").unlink()
    with pytest.raises(DataError, match="run the stage that writes it first"):
        write_report(study)
