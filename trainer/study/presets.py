"""How large a study is: what it trains, how long, and on how much it is tested."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainer.study.settings import PresetName, Scope

RATES = (10.0, 100.0, 1000.0)
"""Of ``rate_scale``, tried alike for the true pairs and for every control that has a rate of its own."""
EVERY_ROW = ("a1", "b1", "b2", "b3", "c1", "c1f", "d1", "d2", "d3", "d4", "d5", "t3", "k3")
EVERY_CONTROL = (
    *("shuffled", "rgb-rgb", "gray", "tir-tir", "oracle", "bn"),
    *("misalign-5", "misalign-10", "misalign-20", "features"),
)


@dataclass(frozen=True)
class Scenes:
    """Synthetic sequences of one purpose, and frames of each."""

    sequences: int
    frames: int


@dataclass(frozen=True)
class Training:
    """How long something trains: epochs of so many draws, a batch of them a step; None is the recipe's own."""

    epochs: int
    samples: int | None
    batch: int | None

    @classmethod
    def of(cls, steps: int, batch: int, epochs: int = 1) -> Training:
        """So many steps in so many equal epochs."""
        return cls(epochs, steps * batch // epochs, batch)


@dataclass(frozen=True)
class Preset:
    """How large a study is.

    Attributes:
        scope: rows, controls, and seeds unless others are asked for.
        window: side of the search window in pixels; None is the base tracker's own.
        teacher: how long the teacher trains, in the synthetic world; its backbone stays frozen where ``window`` is set.
        row: how long every row trains.
        trial: how long every row of a chain trains when a rate is tried. Much shorter than ``row``, it favours low
            rates: it runs at a rate that is higher by as much.
        rates: of ``rate_scale`` that are tried; one alone is not tried, but taken.
        windows: of the two-frame test.
        trials: windows on which tries are measured.
        students: scenes that rows train on.
        teachers: scenes that the teacher trains on.
        select: scenes on which rates are chosen; pictures of one modality.
        test: scenes of the test.
        twins: whether the test's scenes are there in RGB too.
        tracked: whether models are tracked through whole sequences of the test too.
        secondary: whether d3's chain is trained on the other patches too, which is told and not judged.
        feature_gib: of frozen features that a seed may keep on disk.
        loaders: processes that read shards beside each run.
    """

    scope: Scope
    window: int | None
    teacher: Training
    row: Training
    trial: Training
    rates: tuple[float, ...]
    windows: int
    trials: int
    students: Scenes
    teachers: Scenes
    select: Scenes
    test: Scenes
    twins: bool = True
    tracked: bool = False
    secondary: bool = False
    feature_gib: float = 6.0
    loaders: int = 0


_JUDGED = Scope(("a1", "b3", "c1", "d3"), ("shuffled", "rgb-rgb", "oracle"), 1)
_ALL = Scope(EVERY_ROW, EVERY_CONTROL, 3)
_DIMP: dict[PresetName, Preset] = {
    "toy": Preset(
        scope=Scope(("a1", "d3"), ("oracle",), 1),
        window=96,
        teacher=Training.of(2, 8),
        row=Training.of(2, 2),
        trial=Training.of(1, 2),
        rates=(100.0,),
        windows=8,
        trials=4,
        students=Scenes(2, 4),
        teachers=Scenes(2, 3),
        select=Scenes(2, 3),
        test=Scenes(4, 3),
    ),
    "quick": Preset(
        scope=_JUDGED,
        window=160,
        teacher=Training.of(1000, 8, epochs=4),
        row=Training.of(300, 5),
        trial=Training.of(40, 5),
        rates=RATES,
        windows=500,
        trials=100,
        students=Scenes(40, 12),
        teachers=Scenes(16, 24),
        select=Scenes(20, 32),
        test=Scenes(50, 36),
    ),
    "laptop": Preset(
        scope=_ALL,
        window=160,
        teacher=Training.of(4000, 8, epochs=4),
        row=Training.of(600, 5),
        trial=Training.of(300, 5),
        rates=RATES,
        windows=2000,
        trials=200,
        students=Scenes(60, 24),
        teachers=Scenes(24, 30),
        select=Scenes(20, 36),
        test=Scenes(100, 45),
        tracked=True,
        secondary=True,
    ),
    "full": Preset(
        scope=_ALL,
        window=None,
        teacher=Training(50, None, None),
        row=Training(50, 26_000, None),
        trial=Training(1, 26_000, None),
        # So many steps are what the paper's own rates are made for.
        rates=(1.0,),
        windows=2000,
        trials=200,
        students=Scenes(400, 60),
        teachers=Scenes(400, 60),
        select=Scenes(20, 60),
        test=Scenes(100, 60),
        tracked=True,
        secondary=True,
        feature_gib=0.0,
        loaders=2,
    ),
}


def preset_of(name: PresetName, tracker: str) -> Preset:
    """How large a study of a base tracker is. NanoTrack has steps of 32 pairs, one size of window, and its own teacher.

    Args:
        name: of the preset.
        tracker: base tracker.
    """
    preset = _DIMP[name]
    if tracker != "nanotrack_v2":
        return preset
    row, trial = {
        "toy": (Training.of(2, 4), Training.of(1, 4)),
        "quick": (Training.of(300, 32), Training.of(40, 32)),
        "laptop": (Training.of(2000, 32), Training.of(500, 32)),
        "full": (preset.row, preset.trial),
    }[name]
    # Its branches share no features, which is what c1f is about.
    return replace(preset, scope=preset.scope.without("c1f"), window=None, row=row, trial=trial)
