"""Every parameter of DiMP and ATOM, by the names of pytracking's parameter files.

Lengths without a unit are shares: of the target, of the search window or of the score map, as said beside each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from trainer.net.correlation import FILTER_SIZE
from trainer.net.filter_optimizer import STRIDE
from trainer.trackers.parameters.base import CONFIG, TrackingParams
from trainer.trackers.parameters.pytracking_names import INERT, REFUSED
from trainer.trackers.parameters.values import (
    Activation,
    Augmentation,
    Count,
    NotNegative,
    Number,
    Odd,
    Positive,
    Rate,
    Scales,
    Share,
    Steps,
)

_SHIFTS = ((0.6, 0.6), (-0.6, 0.6), (0.6, -0.6), (-0.6, -0.6))
DIMP_VIEWS = Augmentation(
    relativeshift=_SHIFTS,
    fliplr=True,
    blur=((3, 1), (1, 3), (2, 2)),
    rotate=(10, -10, 45, -45),
    dropout=(2, 0.2),
)
ATOM_VIEWS = Augmentation(
    relativeshift=_SHIFTS,
    fliplr=True,
    blur=((2, 0.2), (0.2, 2), (3, 1), (1, 3), (2, 2)),
    rotate=(5, -5, 10, -10, 20, -20, 30, -30, 45, -45, -60, 60),
    dropout=(7, 0.2),
)
Side = Annotated[int, Field(ge=FILTER_SIZE * STRIDE)]
"""Of a search window, in network pixels: it has no fewer cells than the filter."""
Area = Annotated[Number, Field(ge=(FILTER_SIZE * STRIDE) ** 2)]


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class OnlineParams(TrackingParams):
    """What DiMP and ATOM share, whose classifiers learn while they track.

    Attributes:
        search_area_scale: side of the search window over the target's geometric mean side.
        scale_factors: window sizes, relative to the target's, that are searched in each frame.
        augmentation: first-frame views.
        use_augmentation: whether there are any beside the first.
        augmentation_expansion_factor: side of the patch that views are cut from, in search windows.
        random_shift_factor: range of the random shift of flipped, blurred, scaled and rotated views, in search windows.
        sample_memory_size: slots of the memory.
        learning_rate: weight of a new sample.
        init_samples_minimum_weight: what the first frame's samples weigh together at least; 0 or None for no bound.
        hard_negative_learning_rate: weight of a new sample where a distractor was seen.
        train_skipping: frames between two updates of the classifier.
        window_output: multiply scores by a cosine window.
        perform_hn_without_windowing: look for distractors in the scores before that window.
        advanced_localization: tell hard negatives, uncertain and lost targets apart.
        target_not_found_threshold: smallest score of a target.
        distractor_threshold: share of the best score from which a second peak makes the frame doubtful.
        hard_negative_threshold: share from which it is learnt from.
        target_neighborhood_scale: size of the neighbourhood of a peak that belongs to it, in targets.
        dispalcement_scale: distance from the last position beyond which a peak is implausible, in half score maps.
        use_classifier: whether the classifier moves the target.
        use_iou_net: whether the IoU-net refines the box.
        update_scale_when_uncertain: whether it resizes the search window when the frame is doubtful.
        use_iounet_pos_for_learning: whether the refined position is the one that is learnt.
        iounet_augmentation: average the modulation over the views that keep the target upright.
        iounet_k: best boxes that are averaged.
        num_init_random_boxes: random starts beside the classifier's box.
        box_jitter_pos: range of their centres, in geometric mean sides.
        box_jitter_sz: range of their sides, likewise.
        maximal_aspect_ratio: refined boxes beyond it are dropped.
        box_refinement_iter: gradient steps.
        box_refinement_step_length: of those steps; a pair is for position and size.
        box_refinement_step_decay: factor on the step length after each.
        box_refinement_space: ``default``: pixels; ``relative``: (cx/w, cy/h, log w, log h) of the first start.
        target_inside_ratio: share of the target that stays inside the image.
        integer_rounding: cut windows as torch before 1.5 did (integer divisions, extents without halves).
    """

    inert: ClassVar[frozenset[str]] = INERT
    refused: ClassVar[Mapping[str, str]] = REFUSED
    search_area_scale: Positive = 5.0
    scale_factors: Scales = (1.0,)
    augmentation: Augmentation = DIMP_VIEWS
    use_augmentation: bool = True
    augmentation_expansion_factor: Annotated[Number, Field(ge=1)] | None = 2
    random_shift_factor: NotNegative = 1 / 3
    sample_memory_size: Count = 50
    learning_rate: Rate = 0.01
    init_samples_minimum_weight: Share | None = 0.25
    hard_negative_learning_rate: Rate | None = 0.02
    train_skipping: Count = 20
    window_output: bool = False
    perform_hn_without_windowing: bool = False
    advanced_localization: bool = True
    target_not_found_threshold: float = 0.25
    distractor_threshold: float = 0.8
    hard_negative_threshold: float = 0.5
    target_neighborhood_scale: NotNegative = 2.2
    dispalcement_scale: NotNegative = 0.8
    use_classifier: bool = True
    use_iou_net: bool = True
    update_scale_when_uncertain: bool = True
    use_iounet_pos_for_learning: bool = True
    iounet_augmentation: bool = False
    iounet_k: Count = 3
    num_init_random_boxes: Steps = 9
    box_jitter_pos: NotNegative = 0.1
    box_jitter_sz: NotNegative = 0.5
    maximal_aspect_ratio: Annotated[Number, Field(ge=1)] = 6
    box_refinement_iter: Count = 5
    box_refinement_step_length: Number | tuple[Number, Number] = 1
    box_refinement_step_decay: Number = 1
    box_refinement_space: Literal["default", "relative"] = "default"
    target_inside_ratio: Share = 0.2
    integer_rounding: bool = False


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class DimpParams(OnlineParams):
    """What only DiMP has.

    Attributes:
        image_sample_size: side of the search window in network pixels, or (height, width).
        border_mode: how windows meet the image's border, see :func:`~trainer.trackers.patch.sample_patch`.
        patch_max_scale_change: bound on their shrinking.
        update_classifier: whether the filter changes after the first frame.
        net_opt_iter: optimizer steps on the first frame.
        net_opt_update_iter: on every ``train_skipping``-th.
        net_opt_hn_iter: where a distractor was seen.
        net_opt_low_iter: where the best score is below ``low_score_opt_threshold``.
        low_score_opt_threshold: None for never.
        train_sample_interval: frames between two stored samples.
        uncertain_threshold: best score below which a frame is doubtful.
        hard_sample_threshold: below which it is learnt from as a hard negative.
        score_preprocess: function of the raw scores.
        score_filter_ksz: side of a box filter on the scores, odd.
        filter_reg: in place of the learnt regularisation of the filter; less than 0.001 counts as that.
    """

    image_sample_size: Side | tuple[Side, Side] = 18 * 16
    border_mode: Literal["replicate", "inside", "inside_major"] = "replicate"
    patch_max_scale_change: Annotated[Number, Field(ge=1)] | None = None
    update_classifier: bool = True
    net_opt_iter: Steps = 10
    net_opt_update_iter: Steps = 2
    net_opt_hn_iter: Steps = 1
    net_opt_low_iter: Steps = 0
    low_score_opt_threshold: float | None = None
    train_sample_interval: Count = 1
    uncertain_threshold: float = float("-inf")
    hard_sample_threshold: float = float("-inf")
    score_preprocess: Literal["none", "exp", "softmax"] = "none"
    score_filter_ksz: Odd = 1
    filter_reg: NotNegative | None = None

    def in_window(self, side: int) -> dict[str, Any]:
        """See :meth:`TrackingParams.in_window`."""
        return {"image_sample_size": side}


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class AtomParams(OnlineParams):
    """What only ATOM has.

    Attributes:
        max_image_sample_size: largest area of the search window in network pixels.
        min_image_sample_size: smallest.
        feature_size_odd: odd instead of even feature maps.
        score_upsample_factor: score map over search window, per side.
        CG_iter: conjugate gradient steps of an update.
        init_CG_iter: of all Gauss-Newton iterations on the first frame, or of each.
        init_GN_iter: Gauss-Newton iterations on the first frame.
        post_init_CG_iter: steps on the filter alone after them.
        hard_negative_CG_iter: steps where a distractor was seen.
        fletcher_reeves: use that formula in place of Polak and Ribiere's.
        CG_forgetting_rate: how fast the last update's direction is forgotten; None: at once.
        output_sigma_factor: width of the Gaussian label, in targets.
        kernel_size: of the filter, rows and columns.
        compressed_dim: channels after the projection.
        filter_reg: regularisation of the filter.
        projection_reg: of the projection.
        use_projection_matrix: project at all.
        update_projection_matrix: learn the projection on the first frame.
        proj_init_method: ``randn``, or the principal components of the first frame.
        filter_init_method: ``randn`` or ``zeros``.
        projection_activation: after the projection: a name, or (``mlu``, its parameter).
        response_activation: after the filter, likewise.
    """

    max_image_sample_size: Area = (18 * 16) ** 2
    min_image_sample_size: Area = (18 * 16) ** 2
    feature_size_odd: bool = False
    score_upsample_factor: Annotated[Number, Field(ge=1 / STRIDE)] = 1
    CG_iter: Steps = 5
    init_CG_iter: Steps | tuple[Steps, ...] = 60  # noqa: N815
    init_GN_iter: Count = 6  # noqa: N815
    post_init_CG_iter: Steps = 0  # noqa: N815
    hard_negative_CG_iter: Steps = 5  # noqa: N815
    fletcher_reeves: bool = False
    CG_forgetting_rate: NotNegative | None = None
    output_sigma_factor: Positive = 1 / 4
    kernel_size: tuple[Count, Count] = (4, 4)
    compressed_dim: Count = 64
    filter_reg: Positive = 1e-1
    projection_reg: Positive = 1e-4
    use_projection_matrix: bool = True
    update_projection_matrix: bool = True
    proj_init_method: Literal["randn", "pca"] = "randn"
    filter_init_method: Literal["randn", "zeros"] = "randn"
    projection_activation: Activation = "none"
    response_activation: Activation = ("mlu", 0.05)
    augmentation: Augmentation = ATOM_VIEWS
    sample_memory_size: Count = 250
    train_skipping: Count = 10

    def in_window(self, side: int) -> dict[str, Any]:
        """See :meth:`TrackingParams.in_window`."""
        # The window has an even number of cells, unless it is told that it shall be odd.
        odd = {"feature_size_odd": True} if side // STRIDE % 2 else {}
        return {"max_image_sample_size": side**2, "min_image_sample_size": side**2, **odd}


def pair(value: float | tuple[float, float]) -> tuple[float, float]:
    """A number for both axes, or one for each: (rows, columns)."""
    if isinstance(value, (int, float)):
        return value, value
    first, second = value
    return first, second
