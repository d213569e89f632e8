"""A study from its plan to its verdict: what it writes, what it refuses, what it goes on with."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CmdTirError, UsageError
from pipeline.files.hashing import file_sha256
from trainer.commands.study import study
from trainer.study import Studied, StudyConfig, plan_study, run_study
from trainer.study.results import read_results

from ...conftest import lasting
from .fake_world import SCOPE, config, launch, runs

__all__ = ["config"]


def studied(config: StudyConfig, **changed: Any) -> Studied:
    asked = config.model_copy(update=changed)
    return run_study(asked, plan_study(asked), launch)


def content(study: Path) -> dict[str, bytes]:
    return {name: lasting(study / name) for name in ("results.jsonl", "verdict.json", "plan.json")}


@pytest.mark.usefixtures("drawn")
def test_a_study_ends_with_its_verdict_and_says_what_was_measured(config: StudyConfig) -> None:
    done = studied(config)
    out = config.out
    assert done.sentences[0] in (out / "report.html").read_text()
    verdict = json.loads((out / "verdict.json").read_text())["verdicts"]["d3"]
    assert done.sentences == (verdict["sentence"],)
    assert done.sentences[0].startswith("one student: headroom unknown")
    assert set(done.files) == {path for path in out.iterdir() if path.name != ".lock"}
    made = json.loads((out / "verdict.json").read_text())["made_by"]
    assert made["inputs"] == {"init": file_sha256(out / "init.pth"), "results": file_sha256(out / "results.jsonl")}
    rows = read_results(out / "results.jsonl")
    assert len(rows) == done.results
    by = {(row.row, row.control, row.seed, row.set): row for row in rows if row.sequence == "s2"}
    assert by["d3", "", 1, "test"].rate_scale == 100.0
    assert by["d3", "shuffled", 0, "test"].rate_scale == 7.0
    assert by["a1", "", None, "test"].rate_scale is None
    assert by["the middle", "", None, "test"].patches is None
    assert by["d3", "features", 0, "test"].patches == "center"
    assert {row.clip for row in rows if row.sequence == "s2"} == {"one"}
    assert {row.clip for row in rows if row.sequence == "s3"} == {"s3"}
    assert (out / "init.pth").read_bytes() == b"weights"
    assert (out / "bc.yaml").read_text() == "name: bc\n"
    assert (out / "runs/d3/true/0/model").read_text() == "rate_scale=100"


def test_how_many_run_side_by_side_changes_nothing(config: StudyConfig, tmp_path: Path) -> None:
    studied(config)
    studied(config, out=tmp_path / "other", workers=3)
    assert content(config.out) == content(tmp_path / "other")


@pytest.mark.slow
def test_a_study_goes_on_where_results_were_lost_and_ends_the_same(config: StudyConfig) -> None:
    studied(config)
    before = content(config.out)
    shutil.rmtree(config.out / "runs/d3/shuffled")
    (config.out / "rates/true.json").unlink()
    (config.out / "results.jsonl").unlink()
    studied(config)
    assert content(config.out) == before


def test_a_failed_run_leaves_no_verdict_and_the_same_command_goes_on(config: StudyConfig) -> None:
    config.out.mkdir()
    plan = plan_study(config)
    (config.out / "found").write_text("in the way")
    (config.out / "plan.json").write_text(json.dumps(plan.record()))
    with pytest.raises(CmdTirError, match="run the same command again to go on"):
        run_study(config, plan, launch)
    assert not (config.out / "report.html").exists()
    (config.out / "found").unlink()
    assert run_study(config, plan, launch).results


def test_a_study_that_ends_early_shows_what_it_has_measured(
    config: StudyConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "trainer")
    plan = plan_study(config)
    (config.out / "runs/d3").mkdir(parents=True)
    (config.out / "runs/d3/shuffled").write_text("in the way")
    (config.out / "plan.json").write_text(json.dumps(plan.record()))
    with pytest.raises(CmdTirError, match=r"runs/d3/shuffled/0 ended with 1: see .*; 1 more failed"):
        run_study(config, plan, launch)
    assert "report.html shows what has been measured so far" in caplog.text
    measured = {(row.row, row.control, row.seed) for row in read_results(config.out / "results.jsonl")}
    assert measured == {
        *(("a1", "", None), ("the middle", "", None), ("d3", "", 0), ("d3", "", 1)),
        *(("d3", "features", 0), ("d3", "features", 1)),
    }


def test_measurements_of_models_that_are_no_longer_asked_for_are_left_out(config: StudyConfig) -> None:
    done = studied(config)
    path = config.out / "found/a1/a1~~.json"
    shutil.copy(path, path.with_name("b1~~0.json"))
    assert studied(config).results == done.results


@pytest.mark.slow
def test_a_larger_budget_goes_on_with_the_same_study(config: StudyConfig, tmp_path: Path) -> None:
    hours = len([run for run in runs(SCOPE) if run.cost_s])
    small = plan_study(config.model_copy(update={"budget": hours - 4}))
    assert small.dropped == ("features",)
    studied(config, budget=hours - 4)
    plan = json.loads((config.out / "plan.json").read_text())
    assert plan["dropped"] == ["features"]
    assert not (config.out / "runs/d3/features").exists()
    studied(config)
    studied(config, out=tmp_path / "at once")
    assert content(config.out) == content(tmp_path / "at once")
    studied(config, budget=hours - 4)
    assert "features" not in {row.control for row in read_results(config.out / "results.jsonl")}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seeds": 1}, "study.seeds: 2 -> 1"),
        ({"patches": "detection"}, "study.patches: center -> detection"),
        ({"preset": "laptop"}, "study.preset: quick -> laptop"),
        ({"tracker": "atom"}, "study.tracker: dimp18 -> atom"),
    ],
)
def test_another_study_is_refused_before_anything_is_touched(
    config: StudyConfig, changed: dict[str, Any], told: str
) -> None:
    studied(config)
    before = content(config.out)
    with pytest.raises(UsageError, match=told):
        studied(config, **changed)
    assert content(config.out) == before


@pytest.mark.slow
def test_other_weights_are_another_study(config: StudyConfig) -> None:
    studied(config)
    config.init.write_bytes(b"other weights")
    with pytest.raises(UsageError, match=r"study\.init: "):
        plan_study(config)
    studied(config, on_existing="overwrite")
    assert (config.out / "init.pth").read_bytes() == b"other weights"


@pytest.mark.slow
def test_overwrite_removes_what_a_study_made_and_no_more(config: StudyConfig) -> None:
    studied(config)
    (config.out / "thesis.tex").write_text("years of work")
    (config.out / "pictures/d3~~1").mkdir(parents=True)
    studied(config, on_existing="overwrite", seeds=1)
    assert not (config.out / "runs/d3/true/1").exists()
    assert not (config.out / "pictures").exists()
    assert (config.out / "thesis.tex").read_text() == "years of work"


@pytest.mark.slow
def test_a_plan_that_names_what_lies_elsewhere_removes_nothing_there(config: StudyConfig, tmp_path: Path) -> None:
    studied(config)
    precious = tmp_path / "precious"
    precious.mkdir()
    plan = json.loads((config.out / "plan.json").read_text())
    plan["runs"] += [dict(plan["runs"][0], makes=name) for name in ("../precious", str(precious), "..", ".", "/")]
    (config.out / "plan.json").write_text(json.dumps(plan))
    studied(config, on_existing="overwrite")
    assert precious.is_dir()


def test_other_versions_than_those_that_a_study_was_begun_with_are_told(
    config: StudyConfig, caplog: pytest.LogCaptureFixture
) -> None:
    studied(config)
    studied(config)
    assert "other versions" not in caplog.text
    plan = json.loads((config.out / "plan.json").read_text())
    plan["versions"]["torch"] = "0.4.1"
    (config.out / "plan.json").write_text(json.dumps(plan))
    studied(config)
    assert "was begun with other versions (torch 0.4.1 -> " in caplog.text


def test_the_plan_tells_the_words_that_ask_the_same_again(config: StudyConfig) -> None:
    given = {"pairs": (Path("a"), Path("b c")), "test": Path("d"), "select": "s*", "clips": Path("e"), "budget": 99.5}
    asked = config.model_copy(update={**given, "workers": 3, "on_existing": "overwrite"})
    words = ["study", "--out", str(config.out), *plan_study(asked).command]
    context = study.make_context("study", words[1:])
    again = StudyConfig.model_validate({name: each for name, each in context.params.items() if name != "dry_run"})
    same = asked.model_copy(update={"seeds": 2, "patches": "center", "on_existing": "resume"})
    assert again.model_copy(update={"workers": 3}) == same


def test_fail_refuses_a_study_that_is_there(config: StudyConfig) -> None:
    studied(config)
    with pytest.raises(UsageError, match=r"already holds plan\.json"):
        studied(config, on_existing="fail")


@pytest.mark.parametrize(("name", "text"), [("thesis.tex", "x"), ("plan.json", '{"stage": "mine"}')])
def test_a_folder_of_something_else_is_refused(config: StudyConfig, name: str, text: str) -> None:
    config.out.mkdir()
    (config.out / name).write_text(text)
    with pytest.raises(UsageError, match=r"holds no study|another stage"):
        studied(config)
    assert [path.name for path in config.out.iterdir()] == [name]


def test_a_file_that_no_measurement_wrote_is_named_and_made_again(config: StudyConfig) -> None:
    studied(config)
    before = content(config.out)
    path = config.out / "found/a1/a1~~.json"
    path.write_text('{"modality": "tir", "rows": [{"answer": "student"}]}')
    with pytest.raises(CmdTirError, match=r"a1~~\.json: not what a study measures"):
        studied(config)
    path.write_text(
        path.read_text()
        .replace("tir", "radar")
        .replace('"student"}', '"student", "sequence": "s", "measure": "hit", "value": 1, "windows": 1}')
    )
    with pytest.raises(CmdTirError, match=r"a1~~\.json: modality: "):
        studied(config)
    shutil.rmtree(path.parent)
    studied(config)
    assert content(config.out) == before
