"""Everything one run holds: its row, data, folder, network, optimiser and objective, each from those before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import torch

from pipeline.errors import DataError
from pipeline.runtime.device import resolve_device
from trainer.checkpoints.run_folder import IDENTITY, MODEL, START
from trainer.checkpoints.weights import digest, load_weights
from trainer.data.dataset import Sample, read_batches
from trainer.data.feeds import Feed, assemble
from trainer.data.training_data import TrainingData, open_training_data
from trainer.distillation import branches
from trainer.distillation.fit_state_head import fit_head
from trainer.distillation.objective import Objective
from trainer.distillation.state_head import StateHead
from trainer.net import TrackingNet
from trainer.recipes.row import Row, resolve_row
from trainer.recipes.settings import TrainConfig
from trainer.train.distributed import ProcessGroup, join_group
from trainer.train.initial_weights import Weights, build_student, frozen_teacher, named_teacher
from trainer.train.master_adam import MasterAdam

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


def prepare(config: TrainConfig) -> Prepared:
    """Check settings and shards of a run.

    Raises:
        UsageError: settings that do not fit one another.
        DataError: shards or weights that cannot be used.
    """
    group, row = join_group(), resolve_row(config)
    device = resolve_device(config.device, f"cuda:{group.local_rank}")
    # Before the first picture is decoded: a pool of OpenCV threads would deadlock every forked loader process.
    start_worker(0)
    data, teacher = open_training_data(config, row, config.shards), named_teacher(config)
    identity = config.identity() | {"recipe": row.recipe.name} | row.sources()
    identity |= {"shards": data.source.fingerprint, "processes": group.world_size}
    identity |= {"teacher": digest(teacher) if teacher else config.teacher}
    return Prepared(config, group, row, device, data, teacher, identity)


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
        self.net = build_student(self.config, self.row.recipe, self.device, resumed=state is not None)
        self.start = self._start_weights(state)
        names = branches.trained_names(self.net, self.row, self.config)
        teacher = self._teacher([name for group in names.values() for name in group], prepared.teacher)
        self.optimizer = MasterAdam(self.net, names, self.row.rates, self.group)
        self.frozen = digest({n: v for n, v in self.net.state_dict().items() if self._stays(n)})
        self.epoch = self._restore(state) if state else 0
        self.head = self._restored_head(state) if state else self._fitted_head()
        self.objective = self._objective(teacher)

    def _stays(self, name: str) -> bool:
        """Whether an entry of the state dict is the same after training."""
        return name not in self.optimizer.live and not self.trains_backbone

    @property
    def trains_backbone(self) -> bool:
        """Whether the row trains the backbone, and so the statistics of its batch-norms."""
        return "backbone" in self.row.modules

    def _start_weights(self, state: State | None) -> Weights:
        """The weights that the run began with, on the CPU, without a frozen backbone; from its folder when resumed."""
        if state is not None:
            return load_weights(self.config.out / START)
        return {
            name: value.detach().cpu().clone()
            for name, value in self.net.state_dict().items()
            if self.trains_backbone or not name.startswith(branches.BACKBONE_PREFIX)
        }

    def _teacher(self, trained: list[str], named: Weights | None) -> TrackingNet | None:
        """The frozen network of the RGB side, where that cannot be the trained network itself."""
        if named:
            return frozen_teacher(self.net, named, self.config.teacher)
        return frozen_teacher(self.net, self.start) if branches.splits(self.row.recipe, trained) else None

    def _restore(self, state: State) -> int:
        """Go on from a saved state; return the epochs that are done.

        Raises:
            DataError: the model beside it is not the one that was saved with it.
        """
        if state["frozen"] != self.frozen:
            raise DataError(f"{self.config.out / MODEL}: altered since the state was saved, cannot resume: restore it")
        self.optimizer.load_state_dict(state["optimizer"])
        self.net.load_state_dict(state["buffers"], strict=False)
        return int(state["epoch"])

    def _restored_head(self, state: State) -> StateHead | None:
        """The psi that was saved."""
        if state["head"] is None:
            return None
        head = StateHead(torch.zeros(4), torch.ones(4))
        head.load_state_dict(state["head"])
        return head.to(self.device).requires_grad_(False).eval()

    def _fitted_head(self) -> StateHead | None:
        """A fitted psi where the box loss reads the target's state (Eq. 3)."""
        if "bbe" not in self.row.modules or "predicted_state" not in self.row.bbe_loss.takes:
            return None
        return fit_head(self.net, self.data, self.device, self.config.loader_workers)

    def _objective(self, teacher: TrackingNet | None) -> Objective:
        shrunk = [p for n, p in self.optimizer.live.items() if n.startswith("bb_regressor.") and p.dim() > 1]
        return Objective(self.net, self.row, self.config, teacher=teacher, head=self.head, shrunk=shrunk)

    def state(self) -> State:
        """What a resumed run needs beside the model."""
        return {
            "epoch": self.epoch,
            IDENTITY: self.prepared.identity,
            "optimizer": self.optimizer.state_dict(),
            "head": self.head.state_dict() if self.head else None,
            "buffers": dict(self.net.named_buffers()) if self.trains_backbone else {},
            "frozen": self.frozen,
        }

    def batches(self, loader: Iterable[Sample]) -> Iterator[tuple[Feed, Any]]:
        """Feeds of a loader, each with the pair numbers in it."""
        for batch in read_batches(loader):
            yield assemble(batch, self.data.feeding, self.device), batch["pair"]


def start_worker(_: int) -> None:
    """A loader process is the parallelism; OpenCV's own threads would only fight the trainer's."""
    cv2.setNumThreads(1)
