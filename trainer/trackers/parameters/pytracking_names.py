"""Names in pytracking's parameter files that are no parameter here: those without effect, and those not supported."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
