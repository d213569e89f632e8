"""The parameters of each tracker, and how some are replaced by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from pydantic import ValidationError

from pipeline.errors import did_you_mean, first_fault
from trainer.base_trackers import base_tracker
from trainer.trackers.parameters.base import TrackingParams
from trainer.trackers.parameters.nano import NanoParams
from trainer.trackers.parameters.params import AtomParams, DimpParams, OnlineParams

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
NANOTRACK_V2 = NanoParams()


def defaults_of(tracker: str) -> TrackingParams:
    """The parameters of a base tracker.

    Raises:
        ValueError: no such tracker.
    """
    params: TrackingParams = base_tracker(tracker).load("parameters")
    return params


def online_defaults(tracker: str) -> OnlineParams:
    """The parameters of a base tracker that is of DiMP's and ATOM's kind.

    Raises:
        ValueError: no such tracker, or one of another kind.
    """
    params = defaults_of(tracker)
    if not isinstance(params, OnlineParams):
        raise ValueError(f"{tracker} refines no boxes by an IoU-net: choose a tracker that does")
    return params


def window_params(name: str, window: int | None) -> dict[str, Any]:
    """The parameters, by name, that make a tracker look through search windows of a size.

    Args:
        name: of the base tracker.
        window: side in network pixels, a multiple of the stride; None is the tracker's own, which takes none.

    Raises:
        ValueError: no such tracker, or it has windows of one size alone.
    """
    return {} if window is None else defaults_of(name).in_window(window)


def resolve(name: str, overrides: Mapping[str, Any]) -> TrackingParams:
    """A tracker's parameters with some of them replaced.

    Args:
        name: of the base tracker.
        overrides: values by parameter name; those that are ``inert`` are passed over.

    Raises:
        ValueError: no such tracker or parameter, one that is ``refused``, or a value of another type or range.
    """
    defaults = defaults_of(name)
    known = [each.name for each in fields(defaults)]
    for key in overrides:
        if key not in known and key not in defaults.inert:
            raise ValueError(_unknown(name, key, known, defaults.refused))
    try:
        return replace(defaults, **{key: value for key, value in overrides.items() if key in known})
    except ValidationError as error:
        raise ValueError(f"{name}: {_told(error, overrides)}") from error


def _unknown(name: str, key: str, known: list[str], refused: Mapping[str, str]) -> str:
    if key in refused:
        return f"{name}: parameter {key!r} of pytracking is not supported: {refused[key]}"
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
