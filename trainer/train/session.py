"""Everything one run holds: data, network, optimiser, folder."""

from __future__ import annotations

import copy
import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.errors import DataError, UsageError
from trainer.checkpoints.model_file import weights_file
from trainer.checkpoints.run_folder import MODEL, START, RunFolder
from trainer.checkpoints.weights import load_into, load_weights
from trainer.data.dataset import PairDataset, Sample, read_batches
from trainer.data.feeds import Feed, Feeding, assemble
from trainer.data.shards import Source, of_method, open_source, split_pairs
from trainer.device import resolve_device
from trainer.distillation import branches
from trainer.distillation.fit_state_head import fit_head
from trainer.distillation.objective import Objective
from trainer.distillation.state_head import StateHead
from trainer.net import AtomNet, DimpNet, build_network
from trainer.recipes.base_trackers import TRACKERS
from trainer.recipes.recipe import Module, Recipe, load_recipe
from trainer.recipes.settings import TrainConfig
from trainer.train.distributed import join_team
from trainer.train.initial_weights import BACKBONE, start_weights
from trainer.train.master_adam import MasterAdam

log = logging.getLogger(__name__)

HELD_OUT_SEED = 1_000_003


class Training:
    """One run, ready to step.

    Raises:
        UsageError: settings that do not fit one another, or a run folder that is taken.
        DataError: shards or weights that cannot be used.
    """

    def __init__(self, config: TrainConfig) -> None:
        # Before the first picture is decoded: a pool of OpenCV threads would deadlock every forked loader process.
        start_worker(0)
        self.team = join_team()
        self.config, self.recipe = config, load_recipe(config.recipe)
        base = TRACKERS[config.tracker]
        self.modules = self.recipe.trained(base)
        _check(config, self.recipe, self.modules)
        # Proposals come from a mixture exactly where the loss needs their densities.
        self.spec = replace(base, mixture=config.loss_of(base)[1] == "kl")
        self.batch_size = config.batch(self.recipe, base)
        self.feeding = Feeding.of(self.recipe, config)
        self.device = resolve_device(config.device, f"cuda:{self.team.local}")
        self.source = _source(config, str(self.recipe.patches))
        self.train_pairs, self.held_pairs = split_pairs(self.source, config.held_out, config.split_seed)
        self.folder = None if config.dry_run else RunFolder(config.out, resume=config.resume)
        taught = _named_teacher(config)
        self.identity = self._identity(taught)
        state = self.folder.load_state(self.identity) if self.folder and config.resume else None
        torch.manual_seed(config.seed)
        self.net: DimpNet | AtomNet = build_network(config.tracker)
        if state is None:
            start_weights(self.net, config, self.recipe)
        else:
            # What is frozen comes from here, whatever --init says now; what is trained is overwritten by its masters.
            model = config.out / MODEL
            load_into(self.net, load_weights(model), str(model))
        # eval(): every row but pretrain keeps all batch-norm statistics, the backbone's first one included.
        self.net.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        names = dict[str, list[str]](branches.trained_names(self.net, self.recipe, config, base).items())
        self.start = self._start(state)
        teacher = self._teacher([name for group in names.values() for name in group], taught)
        rates: dict[str, float] = {m: getattr(config.rates, m) or self.recipe.rate(m, base) for m in self.modules}
        self.optimizer = MasterAdam(self.net, names, rates, self.team)
        self.frozen = digest({n: v for n, v in self.net.state_dict().items() if self._stays(n)})
        self.head: StateHead | None = None
        self.epoch = 0
        if state is not None:
            self._restore(state)
        elif "bbe" in self.modules and "state" in config.loss_of(base)[1]:
            self.head = fit_head(self.net, self.source, self.train_pairs, self.spec, config, self.device)
        shrunk = [p for n, p in self.optimizer.live.items() if n.startswith("bb_regressor.") and p.dim() > 1]
        given: dict[str, Any] = {"branch": self.recipe.branch, "teacher": teacher, "head": self.head, "shrunk": shrunk}
        self.objective = Objective(self.net, self.modules, config, base, **given)

    def _identity(self, taught: dict[str, Tensor] | None) -> dict[str, Any]:
        """What a resumed run must share with the one it goes on from."""
        found = self.config.decisive() | {"shards": self.source.fingerprint, "processes": self.team.world}
        return found | {"teacher": digest(taught) if taught else self.config.teacher}

    def _stays(self, name: str) -> bool:
        """Whether an entry of the state dict is the same after training."""
        return name not in self.optimizer.live and "backbone" not in self.modules

    def _start(self, state: dict[str, Any] | None) -> dict[str, Tensor]:
        """The weights that the run began with, on the CPU, without a frozen backbone; from its folder when resumed."""
        if state is not None:
            return load_weights(self.config.out / START)
        kept = {
            name: value.detach().cpu().clone()
            for name, value in self.net.state_dict().items()
            if "backbone" in self.modules or not name.startswith(BACKBONE)
        }
        if self.folder and self.team.leads:
            self.folder.save_start(kept)
        return kept

    def _teacher(self, trained: list[str], named: dict[str, Tensor] | None) -> DimpNet | AtomNet | None:
        """The frozen network of the RGB side, where that cannot be the trained network itself."""
        if not named and not branches.splits(self.recipe, trained):
            return None
        teacher = copy.deepcopy(self.net)
        if named:
            load_into(teacher, named, self.config.teacher)
            if digest(teacher.feature_extractor.state_dict()) != digest(self.net.feature_extractor.state_dict()):
                raise DataError(
                    f"setting teacher: the backbone of {self.config.teacher} is another than that of --init"
                )
        else:
            teacher.load_state_dict(self.start, strict=False)
        teacher.feature_extractor = self.net.feature_extractor
        return teacher.to(self.device).requires_grad_(False).eval()

    def _restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state.

        Raises:
            DataError: the model beside it is not the one that was saved with it.
        """
        if state["frozen"] != self.frozen:
            raise DataError(f"{self.config.out / MODEL}: altered since the state was saved, cannot resume: restore it")
        self.optimizer.load_state_dict(state["optimizer"])
        self.net.load_state_dict(state["buffers"], strict=False)
        self.epoch = int(state["epoch"])
        if state["head"] is not None:
            head = StateHead(torch.zeros(4), torch.ones(4))
            head.load_state_dict(state["head"])
            self.head = head.to(self.device).requires_grad_(False).eval()

    def state(self) -> dict[str, Any]:
        """What a resumed run needs beside the model."""
        return {
            "epoch": self.epoch,
            "identity": self.identity,
            "optimizer": self.optimizer.state_dict(),
            "head": self.head.state_dict() if self.head else None,
            "buffers": dict(self.net.named_buffers()) if "backbone" in self.modules else {},
            "frozen": self.frozen,
        }

    def dataset(
        self,
        pairs: NDArray[np.int64],
        samples: int,
        *,
        held_out: bool = False,
        feeding: Feeding | None = None,
    ) -> PairDataset:
        """Samples of some pairs; held-out windows come from a seed of their own and are not augmented."""
        return PairDataset(
            self.source,
            pairs,
            self.spec,
            feeding or self.feeding,
            samples=samples,
            seed=self.config.split_seed + HELD_OUT_SEED if held_out else self.config.seed,
            jitter=self.config.jitter == "tracker",
            augment=not held_out,
        )

    def batches(self, loader: Iterable[Sample]) -> Iterator[tuple[Feed, Any]]:
        """Feeds of a loader, each with the pair numbers in it."""
        for batch in read_batches(loader):
            yield assemble(batch, self.feeding, self.device), batch["pair"]


def _named_teacher(config: TrainConfig) -> dict[str, Tensor] | None:
    """The weights of a teacher that is not what the run starts from."""
    return None if config.teacher == "init" else load_weights(weights_file(Path(config.teacher), "setting teacher"))


def start_worker(_: int) -> None:
    """A loader process is the parallelism; OpenCV's own threads would only fight the trainer's."""
    cv2.setNumThreads(1)


def digest(weights: Mapping[str, Tensor]) -> str:
    """A hash over named tensors."""
    found = hashlib.sha256()
    for name, value in sorted(weights.items()):
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _check(config: TrainConfig, recipe: Recipe, modules: tuple[Module, ...]) -> None:
    """Refuse settings that this row has no use for."""
    name = recipe.name
    if "tcl" in recipe.trains and "tcl" not in modules and "backbone" not in modules:
        raise UsageError(f"recipe {name} trains a classifier, {config.tracker} has none: use its rows (--list-recipes)")
    idle = [module for module in config.rates.model_fields_set if module not in modules]
    if idle:
        raise UsageError(f"setting rates.{idle[0]}: recipe {name} does not train it")
    if config.teacher != "init" and recipe.branch == "both":
        raise UsageError(f"setting teacher: recipe {name} trains both branches, neither is a fixed teacher")
    if not recipe.mixed and (config.mix, config.mix_pairs) != ("batch", "twice"):
        raise UsageError(f"setting mix: recipe {name} feeds one modality to a branch")
    if config.jitter == "none":
        log.warning("jitter is off: every window is centred on its box, and a bias alone can learn the targets")


def _source(config: TrainConfig, method: str) -> Source:
    """The shards whose method the row wants; where none has it, all that were given, with a warning."""
    if not config.shards:
        raise UsageError(f"recipe {config.recipe} needs --shards: folders that `cmd-prep mine --method {method}` wrote")
    chosen = of_method(config.shards, method)
    source = open_source(chosen or config.shards)
    if not chosen:
        found = ", ".join(sorted({index.method for index in source.indexes}))
        log.warning("recipe %s wants %s patches, these shards hold %s", config.recipe, method, found)
    return source
