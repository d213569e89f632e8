"""The parameters of each tracker, and how some are replaced by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from pipeline.errors import did_you_mean, first_fault
from trainer.base_trackers import base_tracker
from trainer.net.filter_optimizer import STRIDE
from trainer.trackers.parameters.params import AtomParams, DimpParams, TrackingParams

INERT = frozenset(
    {
        "debug",
        "device",
        "feature_size_odd",
        "feature_window",
        "iounet_use_log_scale",
        "standard_alpha",
        "use_gpu",
        "visualization",
        "vot_anno_conversion_type",
    }
)
"""Names in parameter files that change no box, there or here: accepted, without effect, where they are no parameter."""

_WEIGHTS = "the network is that of the weights (cmd-track --weights)"
_SOLVER = "ATOM's classifier is solved by Gauss-Newton and conjugate gradients alone"
_PRDIMP = "it belongs to PrDiMP's classifier, which none of these trackers has"
_SIZE = "give image_sample_size as (height, width)"
_WINDOW = "window_output is a whole cosine window"
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "net": _WEIGHTS,
        "features": _WEIGHTS,
        "visdom": "nothing is shown while tracking: cmd-track --save-frames and --save-video draw boxes",
        "optimizer": _SOLVER,
        "optimizer_step_length": _SOLVER,
        "optimizer_momentum": _SOLVER,
        "CG_optimizer": _SOLVER,
        "analyze_convergence": "it ends the sequence after its first frame",
        "hinge_threshold": "pytracking's ATOM never makes the mask that it is for",
        "iounet_not_use_reference": "it is an ablation that hides the target from the IoU-net",
        "search_area_shape": "the search window is square",
        "translation_weight": "ATOM's classifier sees one feature map: there is nothing to weigh",
        "use_clipped_window": _WINDOW,
        "effective_search_area": _WINDOW,
        "use_image_aspect_ratio": _SIZE,
        "feature_stride": _SIZE,
        "output_not_found_box": "every frame gets a box, and Tracker.flag says not_found",
        "label_threshold": _PRDIMP,
        "label_shrink": _PRDIMP,
        "softmax_reg": _PRDIMP,
        "filter_init_zero": "the filter starts from the network's prediction",
    }
)
"""Why other names are not supported that pytracking's DiMP and ATOM know."""

DIMP = DimpParams()
SUPERDIMP = replace(
    DIMP,
    image_sample_size=22 * 16,
    search_area_scale=6.0,
    border_mode="inside_major",
    patch_max_scale_change=1.5,
    box_refinement_space="relative",
    box_refinement_iter=10,
    box_refinement_step_length=2.5e-3,
)
ATOM = AtomParams()


def defaults_of(tracker: str) -> TrackingParams:
    """The parameters of a base tracker.

    Raises:
        ValueError: no such tracker.
    """
    params: TrackingParams = base_tracker(tracker).load("parameters")
    return params


def window_params(name: str, window: int | None) -> dict[str, Any]:
    """The parameters, by name, that make a tracker look through search windows of a size.

    Args:
        name: of the base tracker.
        window: side in network pixels, a multiple of the stride; None is the tracker's own, which takes none.

    Raises:
        ValueError: no such tracker.
    """
    if window is None:
        return {}
    if not isinstance(defaults_of(name), AtomParams):
        return {"image_sample_size": window}
    # ATOM's window has an even number of cells, unless it is told that it shall be odd.
    odd = {"feature_size_odd": True} if window // STRIDE % 2 else {}
    return {"max_image_sample_size": window**2, "min_image_sample_size": window**2, **odd}


def resolve(name: str, overrides: Mapping[str, Any]) -> TrackingParams:
    """A tracker's parameters with some of them replaced.

    Args:
        name: of the base tracker.
        overrides: values by parameter name; names in :data:`INERT` are passed over.

    Raises:
        ValueError: no such tracker or parameter, one of :data:`REFUSED`, or a value of another type or range.
    """
    defaults = defaults_of(name)
    known = [each.name for each in fields(defaults)]
    for key in overrides:
        if key not in known and key not in INERT:
            raise ValueError(_unknown(name, key, known))
    try:
        return replace(defaults, **{key: value for key, value in overrides.items() if key in known})
    except ValidationError as error:
        raise ValueError(f"{name}: {_told(error, overrides)}") from error


def _unknown(name: str, key: str, known: list[str]) -> str:
    if key in REFUSED:
        return f"{name}: parameter {key!r} of pytracking is not supported: {REFUSED[key]}"
    meant = did_you_mean(key, known).rstrip() or f"the parameters are {', '.join(known)}"
    return f"{name} has no parameter {key!r}: {meant}"


def _told(error: ValidationError, overrides: Mapping[str, Any]) -> str:
    """The first parameter that does not fit, and all that it might have been."""
    key = first_fault(error).key.partition(".")[0]
    faults = [each for each in error.errors() if each["loc"][0] == key]
    expected = " or ".join(dict.fromkeys(_fault(each["loc"], each["msg"]) for each in faults))
    return f"{key} is {overrides[key]!r}: {expected}"


def _fault(place: tuple[int | str, ...], message: str) -> str:
    """What pydantic says of a value, after the name of the view that it is of."""
    view = f"{place[1]}: " if place[0] == "augmentation" and len(place) > 1 else ""
    return view + message.removeprefix("Value error, ")
