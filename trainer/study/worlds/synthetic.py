"""The synthetic world: a study makes its own scenes, shards, teacher and tests, from seeds that never meet."""

from __future__ import annotations

from trainer.study.costs import ALIGN_S, MINE_S, PICTURE_S, SCENE_S, STAGE_S, START_S, teacher_s
from trainer.study.measures import Tests
from trainer.study.plan import Run
from trainer.study.plan.run import INIT
from trainer.study.presets import Preset, Scenes
from trainer.study.rows import TRUTH, Made, Rows, steps_of
from trainer.study.settings import Scope, StudyConfig
from trainer.study.students import secondary, students
from trainer.study.worlds.patches import OTHER, kinds_of

SEEDS = {"students": 20_011, "teacher": 20_021, "select": 20_023, "test": 20_029}
"""Purpose -> the seed of its scenes; whatever is drawn in a scene is a function of that and of its number."""
PATCHES = "center"
"""What the verdict is about in this world."""


def runs(config: StudyConfig, preset: Preset, scope: Scope) -> list[Run]:
    """All runs of a study in this world, each after what it needs.

    Args:
        config: what was asked: the base tracker and the patches of the chain count.
        preset: how large it is.
        scope: what of it is trained.
    """
    made: dict[str, Run] = {}
    patches = config.patches or PATCHES
    kinds = kinds_of(patches, preset, scope)
    if "oracle" in scope.controls:
        kinds.add(TRUTH)
    shards = _pairs(made, "students", preset.students, kinds)
    start = Made(INIT) if config.tracker == "nanotrack_v2" else _teacher(made, config.tracker, preset)
    tests = Tests(
        _tracking(made, "test", preset.test, twins=preset.twins),
        Made("scenes/test/tracking_rgb", "scenes/test") if preset.twins else None,
        _tracking(made, "select", preset.select) if len(preset.rates) > 1 else None,
        preset.windows,
        preset.trials,
        frames=preset.test.sequences * preset.test.frames if preset.tracked else 0,
    )
    rows = Rows(config.tracker, preset, patches, shards, start, "runs", made)
    found = students(rows, scope, tests)
    if preset.secondary:
        others = Rows(config.tracker, preset, OTHER[patches], shards, start, f"runs-{OTHER[patches]}", made)
        found = secondary(others, tests)
    return found


def _tracking(made: dict[str, Run], purpose: str, scenes: Scenes, twins: bool = False) -> Made:
    """Sequences that a target is followed through."""
    sizes = ("--sequences", "0", "--tracking", str(scenes.sequences), "--tracking-frames", str(scenes.frames))
    _synth(made, purpose, scenes, (*sizes, *(["--tracking-rgb"] if twins else [])), 1 + twins)
    return Made(f"scenes/{purpose}/tracking", f"scenes/{purpose}")


def _pairs(made: dict[str, Run], purpose: str, scenes: Scenes, kinds: set[str]) -> dict[str, list[Made]]:
    """Shards of synthetic pairs that were aligned by what they show, by kind of patches."""
    sizes = ("--sequences", str(scenes.sequences), "--frames", str(scenes.frames), "--tracking", "0")
    _synth(made, purpose, scenes, sizes, 2)
    data, aligned, pairs = f"scenes/{purpose}/pairs", f"aligned/{purpose}", scenes.sequences * scenes.frames
    words = ("pipeline", "align", "--root", data, "--out", aligned, "--estimate", "sequence", "--workers", "1")
    cost = STAGE_S + pairs * ALIGN_S
    made[aligned] = Run(aligned, words, (f"scenes/{purpose}",), cost, f"{aligned}/aligned.jsonl")
    shards = {}
    for kind in sorted(kinds):
        path = f"shards/{purpose}/{kind}"
        mine = ("pipeline", "mine", "--aligned", aligned, "--out", path, "--patch-size", "0", "--workers", "1")
        made[path] = Run(path, (*mine, *_mined(kind, data)), (aligned,), STAGE_S + pairs * MINE_S, f"{path}/index.json")
        shards[kind] = [Made(path, path)]
    return shards


def _mined(kind: str, data: str) -> tuple[str, ...]:
    """What makes a kind of patches: boxes are a detector's, and true ones for the oracle alone."""
    if kind in ("center", "random"):
        return ("--method", kind)
    boxes = f"{data}/{'detections' if kind == TRUTH else 'detected'}.jsonl"
    words = ("--method", "detection", "--detector", "boxes", "--detections", boxes)
    return (*words, "--tubes") if kind.endswith("-tubes") else words


def _teacher(made: dict[str, Run], tracker: str, preset: Preset) -> Made:
    """A base tracker that has learnt from RGB, and from true boxes there, as base trackers do, in scenes of its own."""
    shards = _pairs(made, "teacher", preset.teachers, {TRUTH})[TRUTH][0]
    training = preset.teacher
    words = ["trainer", "--shards", shards.path, "--recipe", "pretrain", "--tracker", tracker, "--init", INIT]
    words += ["--out", "teacher", "--epochs", str(training.epochs), "--set", "held_out=0"]
    if training.samples:
        words += ["--samples-per-epoch", str(training.samples), "--batch-size", str(training.batch)]
    if preset.window:
        words += ["--window", str(preset.window), "--set", "backbone=frozen", "--set", "images=1"]
        words += ["--set", "rates.tcl=3e-4", "--set", "step=1", "--set", "gamma=0.5"]
    words += ["--loader-workers", str(preset.loaders)]
    cost = START_S + teacher_s(steps_of(training), training.batch or 5, preset.window)
    made["teacher"] = Run("teacher", tuple(words), shards.needs, cost, "teacher/model.safetensors", "teacher")
    return Made("teacher", "teacher")


def _synth(made: dict[str, Run], purpose: str, scenes: Scenes, sizes: tuple[str, ...], modalities: int) -> None:
    path = f"scenes/{purpose}"
    words = ("pipeline", "synth", "--out", path, *sizes, "--seed", str(SEEDS[purpose]), "--workers", "1", "--overwrite")
    cost = STAGE_S + scenes.sequences * (SCENE_S + scenes.frames * modalities * PICTURE_S)
    made[path] = Run(path, words, (), cost, path)
