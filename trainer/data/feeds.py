"""What each branch is fed (Table 1; sections 4.2 and 4.3 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from trainer.data.controls import PairControl
from trainer.recipes.recipe import Fed, Recipe
from trainer.recipes.settings import TrainSettings


@dataclass(frozen=True)
class Feeding:
    """How samples are cut and put into a batch.

    Attributes:
        reference: pictures that are cut for the reference branch; a joined one (``rgb-tir``) is one picture.
        test: likewise, in the order of ``reference``.
        once: with two pictures a branch, whether half of the batch enters one way round and half the other, instead of
            every pair both ways.
        control: what is done to the pairs, where anything is.
        twin: the branch whose window is cut from the visible picture too, where a loss compares the two; or ``both``.
    """

    reference: tuple[str, ...]
    test: tuple[str, ...]
    once: bool = False
    control: PairControl | None = None
    twin: str | None = None

    @classmethod
    def of(cls, recipe: Recipe, settings: TrainSettings) -> Feeding:
        """The feeding of a row under the settings of a run."""
        if settings.feed != "pairs":
            # Both ways round of a mixed row would be the same: each pair enters once.
            modality = settings.feed.partition("-")[0]
            return cls((modality,), (modality,))
        control = None
        if settings.pairs == "shuffled" or settings.misalign:
            control = PairControl(settings.pairs == "shuffled", settings.misalign, settings.seed)
        if recipe.mixed and settings.mix == "spatial":
            return cls((recipe.reference,), (recipe.test,), control=control)
        once = recipe.mixed and settings.mix_pairs == "once"
        return cls(pictures(recipe.reference), pictures(recipe.test), once, control)

    @classmethod
    def alone(cls, modality: str) -> Feeding:
        """One modality of the true pairs on both branches."""
        return cls((modality,), (modality,))

    @property
    def joined(self) -> bool:
        """Whether the two pictures of a pair are put side by side."""
        return "-" in self.reference[0]

    def cut(self, branch: Literal["reference", "test"]) -> tuple[str, ...]:
        """The pictures that are cut for a branch."""
        fed = self.reference if branch == "reference" else self.test
        return (*fed, "rgb") if self.twin in (branch, "both") else fed

    @property
    def gray(self) -> bool:
        """Whether the branches are fed RGB without colour, its polarity drawn for each of them."""
        return "gray" in self.reference

    @property
    def modalities(self) -> set[str]:
        """What the branches are fed, a joined picture by its parts: ``rgb``, ``tir``, ``gray``."""
        return {name for joined in (*self.reference, *self.test) for name in joined.split("-")}

    @property
    def shuffled(self) -> bool:
        """Whether TIR comes from another sequence."""
        return self.control is not None and self.control.shuffled

    @property
    def stored(self) -> list[str]:
        """The modalities that are read of the very pair that is drawn."""
        if self.gray:
            return ["rgb"]
        read = self.modalities | ({"rgb"} if self.twin else set())
        return sorted(read - {"tir"} if self.shuffled else read)


@dataclass(frozen=True)
class Feed:
    """A batch as the two branches see it: R rows, one sequence each, n images of it a branch.

    Where every pair enters twice, R is twice the number of pairs: first reference RGB and test TIR, then the other way.

    All are in (image, row) order; the first R are the first images. In what only measures n is 1.

    Attributes:
        reference: (n*R, 3, S, S) uint8 R, G, B, on the CPU: its features may be known already.
        test: likewise; NanoTrack's are larger.
        reference_box: (n*R, 4) the box in the reference branch's own window.
        label: (n*R, F, F) Gaussian label of the test window; 0 where the reference window is of another scene.
        state: (n*R, 4) s of the test window's box.
        test_box: (n*R, 4) the box in the test window.
        proposals: (n*R, P, 4) in the test window; none of NanoTrack, which has no use for them.
        proposal_iou: (n*R, P).
        density: (n*R, P) proposal density and truth density, where proposals come from a mixture.
        images: n.
        twin: (n*R, 3, S, S) the trained branch's window in RGB, where a loss compares it with TIR.
        cells: (n*R, h, w) NanoTrack's points: 1 where the target is to be found, 0 where not, -1 where none is asked.
        again: whether the run will see these windows again.
        twins: the reference and the test windows in RGB, where the answers on them are to be learnt.
    """

    reference: Tensor
    test: Tensor
    reference_box: Tensor
    label: Tensor
    state: Tensor
    test_box: Tensor
    proposals: Tensor
    proposal_iou: Tensor
    density: tuple[Tensor, Tensor] | None
    images: int = 1
    twin: Tensor | None = None
    cells: Tensor | None = None
    again: bool = False
    twins: tuple[Tensor, Tensor] | None = None

    def by_image(self, flat: Tensor) -> Tensor:
        """One of its tensors (n*R, ...) as (n, R, ...)."""
        return flat.view(self.images, -1, *flat.shape[1:])


def pictures(fed: Fed) -> tuple[str, ...]:
    """The modalities in what a branch is fed."""
    return tuple(fed.split("-"))


def assemble(batch: dict[str, Any], feeding: Feeding, device: torch.device, *, again: bool = False) -> Feed:
    """Feed a collated batch of :class:`trainer.data.dataset.PairDataset` samples to the branches.

    Args:
        batch: the samples.
        feeding: what each branch is fed.
        device: where what is to be learnt goes; windows stay where they are.
        again: whether the run will see these windows again.
    """
    pairs = len(batch["pair"])
    ways = len(feeding.reference)
    # Rows of each way round: all pairs, or its own share of them.
    rows = [slice(None)] * ways
    if feeding.once:
        rows = [slice(0, pairs // 2), slice(pairs // 2, None)]

    count = batch["reference_box"].shape[1] if batch["reference_box"].dim() == 3 else 1

    def spread(parts: list[Tensor]) -> Tensor:
        if count > 1:
            # Of each row image after image, as samples have them, to the first image of all rows, and so on.
            parts = [part.transpose(0, 1) for part in parts]
            return torch.cat([part[:, row] for part, row in zip(parts, rows)], dim=1).flatten(0, 1)
        # One way round stays where the loader pinned it, from where a GPU takes it while the CPU goes on.
        return parts[0] if ways == 1 else torch.cat([part[row] for part, row in zip(parts, rows)])

    def windows(branch: str, names: tuple[str, ...]) -> Tensor:
        return spread([batch[f"{branch}_{name}"] for name in names])

    def target(name: str) -> Tensor:
        return spread([batch[name].to(device, non_blocking=True)] * ways)

    return Feed(
        reference=windows("reference", feeding.reference),
        test=windows("test", feeding.test),
        reference_box=target("reference_box"),
        label=target("label"),
        state=target("state"),
        test_box=target("test_box"),
        proposals=target("proposals"),
        proposal_iou=target("proposal_iou"),
        density=(target("density"), target("truth_density")) if "density" in batch else None,
        images=count,
        twin=windows(feeding.twin, ("rgb",)) if feeding.twin in ("reference", "test") else None,
        twins=(windows("reference", ("rgb",)), windows("test", ("rgb",))) if feeding.twin == "both" else None,
        cells=target("cells") if "cells" in batch else None,
        again=again,
    )
