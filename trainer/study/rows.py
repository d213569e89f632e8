"""Rows and controls as chains of ``cmd-train``: what is trained from what, on which shards, with which settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trainer.recipes.recipe import load_recipe
from trainer.study.costs import MERGE_S, START_S, step_s
from trainer.study.plan import Model, Run
from trainer.study.plan.run import TRUE
from trainer.study.presets import Preset, Training

BC = "bc.yaml"
"""The recipe of b3 and c1 put together, a file of this package that is copied into the study's folder."""
TRUTH = "truth"
"""Shards of true boxes, whose numbers say which object they are of: only the oracle draws from them."""
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "": (),
    "shuffled": ("pairs=shuffled",),
    "rgb-rgb": ("feed=rgb-rgb",),
    "gray": ("feed=gray",),
    "tir-tir": ("feed=tir-tir",),
    "oracle": ("feed=tir-tir", "instants=two"),
    "misalign-5": ("misalign=5",),
    "misalign-10": ("misalign=10",),
    "misalign-20": ("misalign=20",),
    "features": ("losses=features",),
    "bn": ("bn_batches=50",),
}
"""What a control changes in every row of the chain that trains."""
OWN_RATE = ("", "shuffled", "rgb-rgb", "gray", "tir-tir", "oracle")
"""Controls whose rate is chosen; all others take that of the true pairs."""
ENDS = {"bn": "a1", "features": "bc", "misalign-5": "bc", "misalign-10": "bc", "misalign-20": "bc"}
"""Control -> the row that is judged of it, where that is not d3."""
_PUT_TOGETHER = {"bc": ("b3", "c1")}
_NEW_WINDOWS = {"d4", "d5", "t3", "k3"}
"""Rows on patches of their own."""


class Made(NamedTuple):
    """A folder or file that a run makes; one that is there already is made by none."""

    path: str
    run: str | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The run, where there is one."""
        return (self.run,) if self.run else ()


@dataclass
class Rows:
    """Makes the runs of models, each with those that it starts from, and each once.

    Attributes:
        tracker: base tracker.
        preset: how long rows train.
        patches: kind that rows take which Table 1 trains on squares in the middle.
        shards: kind of patches -> its folders of shards; those of :data:`TRUTH` may be missing, and then there is no
            oracle.
        start: the base tracker: the teacher's run, or released weights.
        place: folder of the models' runs, and start of the names of these.
        runs: that were made, by id, each after what it needs.
    """

    tracker: str
    preset: Preset
    patches: str
    shards: Mapping[str, Sequence[Made]]
    start: Made
    place: str
    runs: dict[str, Run]

    def model(self, model: Model) -> Made:
        """A model, trained by runs that are added where they are not there yet."""
        path = self._path(model)
        if path not in self.runs:
            self.runs[path] = self._run(path, model)
        return Made(path, path)

    def _path(self, model: Model) -> str:
        if model.row == "a1" and not model.control:
            return f"{self.place}/a1"
        place = self.place if model.rate is None else f"{self.place}/tries"
        words = [place, model.row, model.control or TRUE, str(model.seed)]
        return "/".join(words if model.rate is None else [*words, f"{model.rate:g}"])

    def _run(self, path: str, model: Model) -> Run:
        words = ["trainer", "--recipe", BC if model.row == "bc" else model.row, "--tracker", self.tracker]
        words += ["--out", path]
        if self.preset.window:
            words += ["--window", str(self.preset.window)]
        if model.row == "a1":
            parents, shards, cost, spared = [self.start], self.shards[self.patches], MERGE_S, 0.0
            words += [*_drawn(shards), "--set", "held_out=0"]
            if model.control:
                words += ["--seed", str(model.seed), "--loader-workers", str(self.preset.loaders)]
                words += self._sets(model.control)
                cost += 50 * 64 * 0.02
            needs = [*self.start.needs, *_needs(shards)]
        else:
            parents = [self.model(model._replace(row=row)) if row != "a1" else self.model(Model("a1"))
                       for row in self.parents(model.row)]  # fmt: skip
            needs = [need for parent in parents for need in parent.needs]
            trained = self._trained(model) if self.trains(model.row) else ([], (), MERGE_S, 0.0)
            words += trained[0]
            needs += trained[1]
            cost, spared = trained[2:]
        for parent in parents:
            words += ["--init", parent.path]
        return Run(path, tuple(words), tuple(dict.fromkeys(needs)), cost, f"{path}/model.safetensors",
                   model.row, model.control, model.seed, spared_s=spared)  # fmt: skip

    def _trained(self, model: Model) -> tuple[list[str], tuple[str, ...], float, float]:
        """Words, needs and cost of a row that trains, and what that would be more without features of other runs."""
        training = self.preset.row if model.rate is None else self.preset.trial
        kind = self.kind(model)
        shards = self.shards[kind]
        words = _drawn(shards)
        if kind == TRUTH:
            words += ["--patches", "detection"]
        elif kind != load_recipe(model.row).patches:
            words += ["--patches", kind]
        words += ["--epochs", str(training.epochs), "--samples-per-epoch", str(training.samples)]
        if training.batch:
            words += ["--batch-size", str(training.batch)]
        words += ["--loader-workers", str(self.preset.loaders), "--seed", str(model.seed)]
        if self.preset.feature_gib:
            words += ["--feature-cache", f"features/{model.seed}", "--set", "feature_type=float16"]
            words += ["--set", f"feature_gib={self.preset.feature_gib:g}"]
        words += ["--set", "held_out=0", "--set", f"rate_scale={self._rate(model)}", *self._sets(model.control)]
        size, mixed = training.batch or 5, not any(word.startswith("feed=") for word in SETTINGS[model.control])
        kept = bool(self.preset.feature_gib) and self._seen(model)
        alone, cost = (
            START_S
            + steps_of(training) * step_s(model.row, self.tracker, self.preset.window, size, kept=shared, mixed=mixed)
            for shared in (False, kept)
        )
        choice = (f"rates/{self._chooser(model)}",) if self._chosen(model) else ()
        return words, (*_needs(shards), *choice), cost, alone - cost

    def _rate(self, model: Model) -> str:
        """The ``rate_scale``: as tried, as chosen when the run starts, or the only one that there is.

        A try is shorter than what it stands for. Adam's steps are as long as the rate, whatever the gradient: so a try
        at a rate that is higher by as much goes as far.
        """
        if model.rate is not None:
            return f"{model.rate * steps_of(self.preset.row) / steps_of(self.preset.trial):g}"
        return f"{{rate:{self._chooser(model)}}}" if self._chosen(model) else f"{self.preset.rates[0]:g}"

    def _chosen(self, model: Model) -> bool:
        """Whether its rate is one that is chosen."""
        return model.rate is None and len(self.preset.rates) > 1

    @staticmethod
    def _chooser(model: Model) -> str:
        """The control whose rate it takes."""
        return (model.control if model.control in OWN_RATE else "") or TRUE

    def kind(self, model: Model) -> str:
        """The kind of patches that a model's row draws."""
        if model.control == "oracle":
            return TRUTH
        own = load_recipe(model.row).patches or self.patches
        if own == "center":
            return self.patches
        return own

    def _seen(self, model: Model) -> bool:
        """Whether runs before it have seen its windows: c1 those of b1, rows on both branches those of b1 and b2."""
        if model.row in _NEW_WINDOWS:
            return False
        if model.rate is not None and model.rate != self.preset.rates[0]:
            return True
        return model.row not in {"b1", "b2"} or model.control in {"rgb-rgb", "tir-tir"}

    @staticmethod
    def _sets(control: str) -> list[str]:
        return [word for setting in SETTINGS[control] for word in ("--set", setting)]

    @staticmethod
    def parents(row: str) -> tuple[str, ...]:
        """The rows that a row starts from."""
        return _PUT_TOGETHER.get(row) or load_recipe(row).starts_from

    @staticmethod
    def trains(row: str) -> bool:
        """Whether a row trains anything."""
        return row not in _PUT_TOGETHER and bool(load_recipe(row).trains)


def _drawn(shards: Sequence[Made]) -> list[str]:
    return [word for each in shards for word in ("--shards", each.path)]


def _needs(shards: Sequence[Made]) -> list[str]:
    return [need for each in shards for need in each.needs]


def steps_of(training: Training) -> int:
    """Steps that a row trains for."""
    return max(1, training.epochs * (training.samples or 26_000) // (training.batch or 5))
