"""The synthetic world's plan: what is started, on what, and that controls differ from their row in nothing else."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.cli import main as prep
from trainer.commands.evaluate import main as evaluate
from trainer.commands.track import main as track
from trainer.commands.train import main as train
from trainer.commands.two_frame import two_frame
from trainer.recipes.effects import refuse_without_effect
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import configure
from trainer.study.plan import CHOOSE, Run
from trainer.study.plan.order import TRACKED, in_order
from trainer.study.plan.run import PICTURES
from trainer.study.presets import preset_of
from trainer.study.rows import BC
from trainer.study.settings import PresetName, Scope, StudyConfig
from trainer.study.worlds.synthetic import SEEDS, runs

PRESETS: tuple[PresetName, ...] = ("toy", "quick", "laptop", "full")
PLANS = [(name, tracker) for name in PRESETS for tracker in ("dimp18", "nanotrack_v2")]
BC_FILE = files("trainer.study").joinpath(BC)


def _plan(name: PresetName, tracker: str, scope: Scope | None = None) -> list[Run]:
    preset = preset_of(name, tracker)
    config = StudyConfig(out=Path("study"), tracker=tracker, init=Path("init.pth"), preset=name)
    return runs(config, preset, scope or preset.scope)


def _words(run: Run, flag: str) -> list[str]:
    return [word for before, word in zip(run.command, run.command[1:]) if before == flag]


@pytest.mark.parametrize(("name", "tracker"), PLANS)
def test_each_run_comes_after_what_it_needs_and_uses_nothing_else(name: PresetName, tracker: str) -> None:
    made: dict[str, Run] = {}
    for run in _plan(name, tracker):
        assert run.id not in made
        assert made.keys() >= set(run.needs)
        paths = [word for word in run.command if word.partition("=")[2] in made or word in made]
        own = {word.partition("=")[2] or word for word in paths} - {run.id}
        assert own <= {*run.needs}
        made[run.id] = run


@pytest.mark.parametrize(("name", "tracker"), PLANS)
def test_every_command_is_one_that_the_programs_take(
    name: PresetName, tracker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / BC).write_bytes(BC_FILE.read_bytes())
    for run in _plan(name, tracker):
        words = [word.replace("{rate:", "").partition("}")[0] if "{rate:" in word else word for word in run.command]
        words = ["rate_scale=10" if word.startswith("rate_scale=") else word for word in words]
        if words[0] == "pipeline":
            prep.commands[words[1]].make_context(words[1], words[2:])
        elif words[0] == "trainer" and words[1].startswith("--"):
            context = train.commands["train"].make_context("train", words[1:])
            given = {key: value for key, value in context.params.items() if value is not None}
            sets = given.pop("overrides")
            given.pop("resume")
            config = configure(given, sets)
            typed = {word[2:].replace("-", "_") for word in words[1:] if word.startswith("--")}
            refuse_without_effect(
                config, (typed & config.model_dump().keys()) | {each.partition("=")[0] for each in sets}
            )
            resolve_row(config)
        elif words[0] == "trainer":
            two_frame.make_context("two-frame", words[2:], resilient_parsing=False)
        elif words[0] == "cmd_tir":
            # Of click's checks only those of files that are yet to be made are left out.
            command = {"cmd-track": track, "cmd-eval": evaluate}[words[1]]
            command.make_parser(command.context_class(command)).parse_args(list(words[2:]))
        else:
            assert words[0] == CHOOSE


def test_scenes_of_two_purposes_never_share_a_seed() -> None:
    assert len(set(SEEDS.values())) == len(SEEDS)
    for name, tracker in PLANS:
        drawn = [(run.id, _words(run, "--seed")) for run in _plan(name, tracker) if run.command[1] == "synth"]
        assert len({seed for _, (seed,) in drawn}) == len(drawn)


@pytest.mark.parametrize("tracker", ["dimp18", "nanotrack_v2"])
def test_a_control_draws_what_its_row_draws_and_differs_in_its_own_settings_alone(tracker: str) -> None:
    plan = {run.id: run for run in _plan("laptop", tracker)}
    for control, allowed in {
        "shuffled": {"pairs"},
        "rgb-rgb": {"feed"},
        "gray": {"feed"},
        "tir-tir": {"feed"},
        "misalign-10": {"misalign"},
        "features": {"losses"},
    }.items():
        rows = ("b1", "b2", "c1") if control.startswith(("misalign", "features")) else ("b1", "b2", "c1", "d3")
        for row in rows:
            true, other = plan[f"runs/{row}/true/1"], plan[f"runs/{row}/{control}/1"]
            for flag in ("--shards", "--seed", "--epochs", "--samples-per-epoch", "--batch-size", "--patches"):
                assert _words(true, flag) == _words(other, flag)
            changed = {*_words(true, "--set")} ^ {*_words(other, "--set")}
            assert {word.partition("=")[0] for word in changed} - {"rate_scale"} == allowed


def test_true_boxes_of_the_students_scenes_are_the_oracle_s_alone() -> None:
    plan = _plan("laptop", "dimp18")
    truth = {run.id for run in plan if "scenes/students/pairs/detections.jsonl" in run.command}
    assert truth == {"shards/students/truth"}
    assert {run.control for run in plan if truth & {*run.needs}} == {"oracle"}


def test_rates_are_tried_alike_for_the_true_pairs_and_for_each_control_with_a_rate() -> None:
    plan = _plan("quick", "dimp18")
    chosen = {run.control: run for run in plan if run.command[0] == CHOOSE}
    assert chosen.keys() == {"", "shuffled", "rgb-rgb", "oracle"}
    tried = {control: [run for run in plan if run.set == "select" and run.control == control] for control in chosen}
    assert {control: len([word for word in found.command if "=" in word]) for control, (found,) in tried.items()} == (
        dict.fromkeys(chosen, 3)
    )
    for run in plan:
        if run.row == "d3" and run.id.startswith("runs/d3"):
            assert f"rates/{run.control or 'true'}" in run.needs


def test_a_scope_that_leaves_rows_out_leaves_out_what_only_they_need() -> None:
    everything = preset_of("laptop", "dimp18").scope
    plan = {run.id for run in _plan("laptop", "dimp18", everything.without("t3"))}
    assert "shards/students/detection-tubes" not in plan
    assert not any(name.startswith(("runs/t3", "found/test/tir/t3")) for name in plan)


def test_windows_are_drawn_of_the_teacher_and_of_the_first_seed_s_true_pairs() -> None:
    drawn = [run for run in _plan("laptop", "dimp18") if "--pictures" in run.command]
    assert {(run.control, run.seed, run.set) for run in drawn} == {("", None, "test"), ("", 0, "test")}
    assert {"a1", "d3", "t3", "k3"} <= {run.row for run in drawn}
    assert all(_words(run, "--pictures") == [PICTURES] and "--rgb" not in run.command for run in drawn)


def test_the_first_seed_s_models_are_tracked_and_the_teacher_in_rgb_too_after_all_that_decides() -> None:
    plan = in_order(_plan("laptop", "dimp18"))
    scored = [run for run in plan if run.row == TRACKED]
    assert sorted(run.modality for run in scored) == ["rgb", "tir"]
    names = [word.partition("=")[0] for run in scored for word in _words(run, "--results")]
    assert sorted(names)[:2] == ["a1~~", "a1~~"]
    assert {"d3~~0", "d3~oracle~0", "t3~~0"} < {*names}
    assert not any(run.command[:2] == ("trainer", "two-frame") for run in plan[plan.index(scored[0]) :])
