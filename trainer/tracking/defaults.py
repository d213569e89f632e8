"""The parameters of each tracker, and how some are replaced by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from trainer.tracking.params import AtomParams, DimpParams

INERT = frozenset(
    {
        "debug",
        "device",
        "feature_window",
        "iounet_use_log_scale",
        "standard_alpha",
        "use_gpu",
        "visualization",
        "vot_anno_conversion_type",
    }
)
"""Names that parameter files hold and that change no box: accepted, without effect."""

_DIMP = DimpParams()
DEFAULTS: Mapping[str, DimpParams | AtomParams] = MappingProxyType(
    {
        "dimp18": _DIMP,
        "dimp50": _DIMP,
        "superdimp": replace(
            _DIMP,
            image_sample_size=22 * 16,
            search_area_scale=6.0,
            border_mode="inside_major",
            patch_max_scale_change=1.5,
            box_refinement_space="relative",
            box_refinement_iter=10,
            box_refinement_step_length=2.5e-3,
        ),
        "atom": AtomParams(),
    }
)
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "border_mode": ("replicate", "inside", "inside_major"),
    "box_refinement_space": ("default", "relative"),
    "score_preprocess": ("none", "exp", "softmax"),
    "proj_init_method": ("randn", "pca"),
    "filter_init_method": ("randn", "zeros"),
}
_POSITIVE = ("search_area_scale", "sample_memory_size", "train_skipping", "iounet_k", "box_refinement_iter")
_VIEWS = ("shift", "relativeshift", "fliplr", "blur", "scale", "rotate", "dropout")


def resolve(name: str, overrides: Mapping[str, Any]) -> DimpParams | AtomParams:
    """A tracker's parameters with some of them replaced.

    Args:
        name: a key of :data:`DEFAULTS`.
        overrides: values by parameter name; names in :data:`INERT` are passed over.

    Raises:
        ValueError: no such tracker, parameter or choice, or a value that must be positive and is not.
    """
    if name not in DEFAULTS:
        raise ValueError(f"unknown tracker {name!r}: choose one of {', '.join(DEFAULTS)}")
    known = [each.name for each in fields(DEFAULTS[name])]
    for key in overrides:
        if key not in known and key not in INERT:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the parameters are {', '.join(known)}"
            raise ValueError(f"{name} has no parameter {key!r}: {hint}")
    params = replace(DEFAULTS[name], **{key: value for key, value in overrides.items() if key in known})
    _check(name, params)
    return params


def _check(name: str, params: DimpParams | AtomParams) -> None:
    for key, choices in _CHOICES.items():
        if hasattr(params, key) and getattr(params, key) not in choices:
            raise ValueError(f"{name}: {key} is {getattr(params, key)!r}: choose one of {', '.join(choices)}")
    for key in _POSITIVE:
        if not getattr(params, key) > 0:
            raise ValueError(f"{name}: {key} is {getattr(params, key)!r}: give a positive number")
    unknown = sorted(set(params.augmentation) - set(_VIEWS))
    if unknown:
        raise ValueError(f"{name}: unknown augmentation {', '.join(unknown)}: choose among {', '.join(_VIEWS)}")
