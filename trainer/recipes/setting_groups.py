"""The settings that decide what a run gives, in groups by what they are of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from pipeline.config import Settings
from pipeline.labels import LABEL_STRIDE
from trainer.recipes.losses import EVERY_BBE, EVERY_TCL
from trainer.recipes.patch_kinds import PatchKind

TclLoss = Annotated[str, AfterValidator(EVERY_TCL.check)]
BbeLoss = Annotated[str, AfterValidator(EVERY_BBE.check)]
Pairing = Annotated[
    Literal["true", "shuffled"],
    # YAML, which reads what --set gives, knows the word as a truth value.
    BeforeValidator(lambda given: "true" if given is True else given),
]


class Rates(Settings):
    """Learning rates that override the recipe's; None keeps the recipe's.

    ``filter_optimizer`` is that of the classifier's filter optimiser where it is to differ from ``tcl``; None is
    ``tcl``, and ten times that in a row with the base tracker's own rates.
    """

    tcl: float | None = Field(default=None, gt=0)
    filter_optimizer: float | None = Field(default=None, gt=0)
    bbe: float | None = Field(default=None, gt=0)
    backbone: float | None = Field(default=None, gt=0)

    @model_serializer(mode="wrap")
    def _recorded(self, dump: SerializerFunctionWrapHandler) -> dict[str, float | None]:
        """As it is written down: what came after 0.1 only where it is set."""
        rates: dict[str, float | None] = dump(self)
        return {name: rate for name, rate in rates.items() if name != "filter_optimizer" or rate is not None}


class StepSettings(Settings):
    """How a run steps.

    Attributes:
        samples_per_epoch: pairs drawn an epoch; the default is the paper's, and in ``pretrain`` the base tracker's own.
        batch_size: pairs a step and process; None is the paper's 5 (NanoTrack's 32), and in ``pretrain`` the base
            tracker's own.
        amp: run the network in bfloat16 where that is safe (autocast).
        precision: in which a frozen backbone computes its features; heads and losses stay in float32.
        seed: every draw is a function of (seed, epoch, draw, branch).
        redraw: whether every epoch draws windows anew; false repeats those of the first, with new proposals, so that
            features of a frozen backbone are computed once.
        feature_type: in which the features of a frozen backbone are kept, and rounded to whether they are kept or not.
        rates: learning rates that replace the recipe's.
        rate_scale: all rates, the recipe's and those that replace them, are multiplied by it: their ratios stay.
        gamma: the rates are multiplied by it every ``step`` epochs; the default is the paper's, and in ``pretrain``
            the base tracker's own.
        step: epochs between two such steps.
        bn_batches: a1 alone: batches (of 32 windows a branch) of training-side TIR, on which the batch-norm statistics
            are measured again, nothing trained; 0 keeps them. How much of a student is only statistics?
        backbone: in ``pretrain``: ``tracker`` trains of it what the base tracker was trained of, batch-norm statistics
            included; ``frozen`` leaves it as it is, in inference mode, and trains the heads alone; ``learns`` trains
            all of it, at the box branch's rate where the tracker's authors gave it none.
    """

    samples_per_epoch: int = Field(default=26_000, ge=1)
    batch_size: int | None = Field(default=None, ge=1)
    amp: bool = False
    precision: Literal["float32", "bf16"] = "float32"
    seed: int = Field(default=0, ge=0, lt=2**32)
    redraw: bool = True
    feature_type: Literal["float32", "float16"] = "float32"
    rates: Rates = Rates()
    rate_scale: float = Field(default=1.0, gt=0)
    gamma: float = Field(default=0.5, gt=0, le=1)
    step: int = Field(default=15, ge=1)
    bn_batches: int = Field(default=0, ge=0)
    backbone: Literal["tracker", "frozen", "learns"] = "tracker"


class LossSettings(Settings):
    """What a run learns, of whom, and with which weights.

    Attributes:
        losses: ``tracker``, the default, is the base tracker's own (LBHinge in the place of Eq. 2, IoU or KL in that of
            Eq. 3; NanoTrack's cross-entropy and IoU); ``paper`` is Eq. 2 and 3 to the letter; ``features`` compares
            what one branch makes of the two modalities, ``answers`` (k3) what both together do.
        tcl_loss: one loss in place of what ``losses`` says, listed in :mod:`trainer.recipes.losses`, or one's own.
        bbe_loss: likewise.
        weight: lambda of Eq. 1, before L_BBE.
        mu: weight of the filter's squared norm in Eq. 2 (``tcl_loss`` ``l2``).
        nu: weight of the trained parameters' squared norm in Eq. 3 (``bbe_loss`` ``state``).
        teacher: weights of the RGB side in a row that trains one branch, or learns its answers (k3): ``init`` is what
            the row starts from; a file or run (in ``--recipe all`` also ``a1``) is run there, frozen, and not saved.
        tcl_features: whether a row that trains the reference branch alone (c1, d2) trains the classifier's feature
            extractor, on the TIR side; in c1f the default is ``trained``.
        head_steps: steps in which psi of Eq. 3 is fitted on RGB alone before it is frozen (bbe_loss ``state``).
    """

    losses: Literal["tracker", "paper", "features", "answers"] = "tracker"
    tcl_loss: TclLoss | None = None
    bbe_loss: BbeLoss | None = None
    weight: float = Field(default=1.0, ge=0)
    mu: float = Field(default=0.0, ge=0)
    nu: float = Field(default=0.0, ge=0)
    teacher: str = "init"
    tcl_features: Literal["frozen", "trained"] = "frozen"
    head_steps: int = Field(default=400, ge=1)


class FeedSettings(Settings):
    """What the branches are fed.

    Attributes:
        patches: kind of the patches that are drawn, see :mod:`trainer.recipes.patch_kinds`; None is the row's.
        mix: how a mixed row joins the modalities: ``batch`` lets a pair enter both ways round, ``spatial`` puts the
            pictures side by side.
        mix_pairs: with mix ``batch``: every pair enters ``twice``, or ``once``, half of the batch each way.
        jitter: ``tracker`` is the base tracker's; ``none`` centres every window, which a bias alone can learn.
        window: side of the search window in pixels; None is the base tracker's own. It shows as many boxes in any size.
        instants: ``two`` lets the test branch see the target at other instants than the reference branch, where the
            shards know objects; None is that for ``pretrain`` and for patches of tubes, else ``one``.
        images: that each branch sees of a target at once, in ``pretrain``; None is the base tracker's own number.
        pairs: ``true`` ones, or ``shuffled``: TIR of another sequence, with the same box. Is it the pairs that teach?
        feed: what both branches are fed in the place of the row's modalities: ``rgb-rgb`` (is it more training?),
            ``tir-tir`` (is it just seeing TIR?) or ``gray``, RGB without colour whose polarity is drawn for each branch
            (are pairs needed at all?). The branch that teaches stays the row's. ``pretrain`` takes ``tir-tir``, which
            makes a tracker of TIR and its pseudo boxes alone.
        misalign: pixels of the stored pictures by which TIR is shifted, in one direction for each sequence, as by a rig
            that nobody calibrated. What is aligning worth?
        other_scenes: share of the draws whose template is of another scene, so that there is nothing to find in the
            search window, where the losses look at labelled points alone (NanoTrack's ``cross_entropy``); None is the
            base tracker's own share. Sequences of the same side of the split take part; of one alone there is none.
        thin_targets: of a target so thin that no point lies in its inner ellipse (NanoTrack) ``nearest`` asks for the
            one that lies nearest to its centre; ``none`` asks for no point and no box.
    """

    patches: PatchKind | None = None
    mix: Literal["batch", "spatial"] = "batch"
    mix_pairs: Literal["twice", "once"] = "twice"
    jitter: Literal["tracker", "none"] = "tracker"
    window: int | None = Field(default=None, ge=6 * LABEL_STRIDE, le=40 * LABEL_STRIDE, multiple_of=LABEL_STRIDE)
    instants: Literal["one", "two"] | None = None
    images: int | None = Field(default=None, ge=1, le=16)
    pairs: Pairing = "true"
    feed: Literal["pairs", "rgb-rgb", "tir-tir", "gray"] = "pairs"
    misalign: float = Field(default=0.0, ge=0)
    other_scenes: float | None = Field(default=None, ge=0, lt=1)
    thin_targets: Literal["nearest", "none"] = "nearest"


class HeldOutSettings(Settings):
    """What is kept out of training, and how it is measured.

    Attributes:
        held_out: share of the sequences that is kept out of training and measured after every epoch.
        held_out_samples: draws of that measurement; 0 leaves it out.
        split_seed: which new sequences are held out is a function of it, the manifest's and the sequence's name; both
            this and ``held_out`` are those of the runs that a run starts from.
    """

    held_out: float = Field(default=0.1, ge=0, lt=1)
    held_out_samples: int = Field(default=200, ge=0)
    split_seed: int = Field(default=0, ge=0, lt=2**32)
