"""Everything one run holds: its row, data, folder, network, optimiser and objective, each from those before it."""

from __future__ import annotations

import contextlib
import copy
import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import torch
from torch import Tensor

from pipeline.config import recorded
from pipeline.errors import DataError, UsageError
from pipeline.runtime.progress import ProgressBar
from trainer.checkpoints.run_folder import IDENTITY, MODEL, RUN, START
from trainer.checkpoints.weights import digest, load_weights
from trainer.data.feeds import Feed, assemble
from trainer.data.loading import Sample, read_batches
from trainer.data.training_data import TrainingData, open_training_data
from trainer.distillation import branches
from trainer.distillation.fit_state_head import fit_head
from trainer.distillation.objective import Objective
from trainer.distillation.ownership import ownership_of
from trainer.distillation.state_head import StateHead
from trainer.features import Backbone, FrozenBackbone, make_store
from trainer.net import BranchedNet
from trainer.net.precision import precision_of
from trainer.recipes.row import Row, resolve_row
from trainer.recipes.settings import BEFORE, TrainConfig
from trainer.train.distributed import ProcessGroup, device_of, join_group
from trainer.train.initial_weights import Weights, build_student, frozen_teacher, named_teacher
from trainer.train.master_adam import MasterAdam
from trainer.train.progress import Progress, ignore_signals

log = logging.getLogger(__name__)
State = dict[str, Any]


@dataclass(frozen=True)
class Prepared:
    """A run before its folder is touched: all that can be refused without one.

    Attributes:
        config: its settings and whereabouts.
        group: the processes that train it.
        row: what it trains.
        device: where.
        data: what it sees.
        teacher: weights of a teacher that is not what the run starts from.
        identity: what a run that goes on must share with the one that began.
    """

    config: TrainConfig
    group: ProcessGroup
    row: Row
    device: torch.device
    data: TrainingData
    teacher: Weights | None
    identity: dict[str, Any]

    @property
    def samples(self) -> int:
        """How many each process trains on in an epoch: where batch-norms learn, whole batches alone."""
        share = self.config.samples_per_epoch // self.group.world_size
        return share - share % self.row.batch_size if self.row.learns_statistics else share

    @property
    def steps(self) -> int:
        """How many an epoch has."""
        return math.ceil(self.samples / self.row.batch_size)


def part(row: Row, group: ProcessGroup, what: str) -> ProgressBar:
    """A part of a run, named while it is done: what is not counted has a time of its own all the same."""
    return ProgressBar(f"{row.recipe.name}: {what}", keep=False, shown=group.leads)


def prepare(config: TrainConfig) -> Prepared:
    """Check settings and shards of a run.

    Raises:
        UsageError: settings that do not fit one another.
        DataError: shards or weights that cannot be used.
    """
    device = device_of(config.device)
    group, row = join_group(device), resolve_row(config)
    # Before the first picture is decoded: a pool of OpenCV threads would deadlock every forked loader process.
    cv2.setNumThreads(1)
    begun = config.on_existing == "resume" and (config.out / RUN).is_file()
    with part(row, group, "reading shards"):
        resumed = config.out if begun else None
        data = open_training_data(config, row, config.shards, starts=config.init, resumed=resumed, force=config.force)
    teacher = named_teacher(config)
    identity = config.identity() | {"recipe": row.recipe.name} | row.sources()
    identity |= {"shards": data.source.fingerprint, "processes": group.world_size}
    seen = {"images": row.images, "instants": data.instants, "flips": "each" if row.base.window_flip else "together"}
    identity |= recorded(seen, BEFORE)
    identity |= {"teacher": digest(teacher) if teacher else config.teacher}
    identity |= {"split": data.split.digest()} if data.recorded else {}
    prepared = Prepared(config, group, row, device, data, teacher, identity)
    if not prepared.steps:
        raise UsageError(
            f"--samples-per-epoch {config.samples_per_epoch}: {group.world_size} process(es) with batches of "
            f"{row.batch_size} would take no step: raise it"
        )
    if left := config.samples_per_epoch // group.world_size - prepared.samples:
        log.info("the last %d samples of an epoch are left out: batch-norms learn from whole batches alone", left)
        identity["last_batch"] = "dropped"
    if row.learns_statistics:
        identity["pretraining"] = "as the base tracker was trained"
    return prepared


class Training:
    """One run, ready to step.

    Args:
        prepared: the run.
        state: what was saved of it, to go on from.

    Raises:
        UsageError: weights to start from that are missing.
        DataError: weights that cannot be used.
    """

    def __init__(self, prepared: Prepared, state: State | None = None) -> None:
        self.prepared, self.config, self.group = prepared, prepared.config, prepared.group
        self.row, self.device, self.data = prepared.row, prepared.device, prepared.data
        self.resumed = state is not None
        weights = (state["model"] or load_weights(self.config.out / MODEL)) if state else None
        self.net = build_student(self.config, self.row.recipe, self.device, resumed=weights)
        self.owned = ownership_of(self.config.tracker)
        self.features = self._backbone()
        self.start = self._start_weights(state)
        names = branches.trained_names(self.net, self.row, self.config)
        teacher = self._teacher([name for group in names.values() for name in group], prepared.teacher)
        self.optimizer = MasterAdam(self.net, names, self.row.rates, self.group)
        self.statistics = branches.learnt_statistics(self.net, self.row)
        self.frozen = digest({n: v for n, v in self.net.state_dict().items() if self._stays(n)})
        self.progress = self._restore(state) if state else Progress()
        self.head = self._restored_head(state) if state else self._fitted_head()
        self.objective = self._objective(teacher)
        if state and state["random"]:
            self._restore_random(state["random"][self.group.rank])

    def _backbone(self) -> Backbone:
        """The network's backbone; where it is frozen, with what is kept of it."""
        if self.row.moves_backbone:
            return Backbone(self.net)
        config = self.config
        weights = {n: v for n, v in self.net.state_dict().items() if n.startswith(self.owned.backbone)}
        # A dry run writes nothing.
        store = None if config.dry_run else make_store(config.feature_cache, config.feature_gib)
        kept, precision = getattr(torch, config.feature_type), precision_of(config.precision, self.device)
        frozen = FrozenBackbone(self.net, weights, store, kept, precision)
        log.info("features of the frozen backbone: %s", frozen.told(self.row.spec.sizes))
        return frozen

    def _stays(self, name: str) -> bool:
        """Whether an entry of the state dict is the same after training."""
        return name not in self.optimizer.live and name not in self.statistics

    def _start_weights(self, state: State | None) -> Weights:
        """The weights that the run began with, on the CPU, without a frozen backbone; from its folder when resumed."""
        if state is not None:
            # In the layout of the network: sums over them come out the same to the last bit.
            return {
                name: value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value
                for name, value in load_weights(self.config.out / START).items()
            }
        return {
            name: value.detach().cpu().clone()
            for name, value in self.net.state_dict().items()
            if self.row.moves_backbone or not name.startswith(self.owned.backbone)
        }

    def _teacher(self, trained: list[str], named: Weights | None) -> BranchedNet | None:
        """The frozen network of the RGB side, where that cannot be the trained network itself."""
        if named:
            return frozen_teacher(self.net, named, self.config.teacher)
        needed = bool(self.row.comparing or self.row.imitating) or branches.splits(self.row.recipe, self.owned, trained)
        return frozen_teacher(self.net, self.start) if needed else None

    def _restore(self, state: State) -> Progress:
        """Go on from a saved state; return how far it is.

        Raises:
            DataError: the model beside it is not the one that was saved with it.
        """
        if state["frozen"] != self.frozen:
            raise DataError(f"{self.config.out / MODEL}: altered since the state was saved, cannot resume: restore it")
        self.optimizer.load_state_dict(state["optimizer"])
        self.net.load_state_dict(state["buffers"], strict=False)
        return Progress(state["epoch"], **state["within"])

    def _restored_head(self, state: State) -> StateHead | None:
        """The psi that was saved."""
        if state["head"] is None:
            return None
        head = StateHead(torch.zeros(4), torch.ones(4), *self.row.base.family.part("responses").state_maps)
        head.load_state_dict(state["head"])
        return head.to(self.device).requires_grad_(False).eval()

    def _fitted_head(self) -> StateHead | None:
        """A fitted psi where the box loss reads the target's state (Eq. 3)."""
        if "bbe" not in self.row.modules or "predicted_state" not in self.row.bbe_loss.takes:
            return None
        with part(self.row, self.group, "fitting psi on RGB"):
            return fit_head(self.net, self.features, self.data, self.device, self.config.loader_workers)

    def _objective(self, teacher: BranchedNet | None) -> Objective:
        box = self.owned.parts("bbe", "both")
        shrunk = [p for n, p in self.optimizer.live.items() if n.startswith(box) and p.dim() > 1]
        given = self.net, self.features, self.row, self.config
        return Objective(*given, teacher=teacher, head=self.head, shrunk=shrunk)

    def _random(self) -> Tensor:
        """The state of torch's random numbers in this process, (bytes,) uint8: the CPU's, then the GPU's."""
        states = [torch.get_rng_state().to(self.device)]
        if self.device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self.device).to(self.device))
        return torch.cat(states)

    def _restore_random(self, state: Tensor) -> None:
        size = len(torch.get_rng_state())
        torch.set_rng_state(state[:size])
        if self.device.type == "cuda" and len(state) > size:
            torch.cuda.set_rng_state(state[size:], self.device)

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever is done with the run meanwhile, it is then as it was: weights, moments, statistics, random state."""
        optimizer, random = copy.deepcopy(self.optimizer.state_dict()), self._random().cpu()
        buffers = {name: value.clone() for name, value in self.net.named_buffers()}
        yield
        self.optimizer.load_state_dict(optimizer)
        for name, value in self.net.named_buffers():
            value.copy_(buffers[name])
        self.net.eval()
        self._restore_random(random)

    def state(self) -> State:
        """What a resumed run needs, beside the model of the last epoch's end; all processes have to ask."""
        within = self.progress.state()
        return {
            "epoch": within.pop("epoch"),
            "within": within,
            "model": self.net.state_dict() if self.progress.step else {},
            "random": [each.cpu() for each in self.group.gather(self._random())],
            IDENTITY: self.prepared.identity,
            "optimizer": self.optimizer.state_dict(),
            "head": self.head.state_dict() if self.head else None,
            "buffers": self.statistics,
            "frozen": self.frozen,
        }

    def batches(self, loader: Iterable[Sample]) -> Iterator[tuple[Feed, Any]]:
        """Feeds of a loader, each with the pair numbers in it."""
        for batch in read_batches(loader):
            yield assemble(batch, self.data.feeding, self.device, again=not self.config.redraw), batch["pair"]


def start_worker(_: int) -> None:
    """Start a loader process. It is the parallelism; OpenCV's own threads would only fight the trainer's."""
    cv2.setNumThreads(1)
    ignore_signals()
