"""The base trackers, one entry each: a name, and where its parts are. Nothing is imported before it is asked for."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.errors import did_you_mean


class BaseTracker(NamedTuple):
    """Where the parts of one base tracker are: ``module:name`` within this package.

    Attributes:
        network: makes the network with random weights.
        geometry: its :class:`~trainer.recipes.geometry.TrackerSpec`, what it is trained on.
        parameters: its :class:`~trainer.trackers.parameters.base.TrackingParams`, how it tracks.
        engine: its :class:`~trainer.trackers.engine.Engine`, which tracks.
        exports: by the name of a format: what writes a student in it. The first is the one that is not asked for.
    """

    network: str
    geometry: str
    parameters: str
    engine: str
    exports: Mapping[str, str] = {"pytracking": "checkpoints.exports.pytracking:export_pytracking"}

    def load(self, part: str) -> Any:
        """Import one of the parts, by the name of its field."""
        return pkgutil.resolve_name(f"trainer.{getattr(self, part)}")

    def exporter(self, kind: str) -> Any:
        """Import what writes a format, out of ``exports``."""
        return pkgutil.resolve_name(f"trainer.{self.exports[kind]}")


BASE_TRACKERS = {
    "dimp18": BaseTracker(
        "net.dimp:dimp18", "recipes.geometry:DIMP18", "trackers.parameters:DIMP", "trackers.online:DimpEngine"
    ),
    "dimp50": BaseTracker(
        "net.dimp:dimp50", "recipes.geometry:DIMP50", "trackers.parameters:DIMP", "trackers.online:DimpEngine"
    ),
    "superdimp": BaseTracker(
        "net.dimp:superdimp",
        "recipes.geometry:SUPERDIMP",
        "trackers.parameters:SUPERDIMP",
        "trackers.online:DimpEngine",
    ),
    "atom": BaseTracker(
        "net.atom:AtomNet", "recipes.geometry:ATOM", "trackers.parameters:ATOM", "trackers.online:AtomEngine"
    ),
    "nanotrack_v2": BaseTracker(
        "net.nano:nanotrack_v2",
        "recipes.point_geometry:NANOTRACK_V2",
        "trackers.parameters:NANOTRACK_V2",
        "trackers.nano:NanoEngine",
        {
            "opencv": "checkpoints.exports.opencv:export_opencv",
            "pytorch": "checkpoints.exports.nanotrack:export_pytorch",
        },
    ),
}


def base_tracker(name: str) -> BaseTracker:
    """The parts of a base tracker.

    Raises:
        ValueError: there is none of that name; the message names the nearest.
    """
    if name not in BASE_TRACKERS:
        meant = did_you_mean(name, BASE_TRACKERS)
        raise ValueError(f"unknown tracker {name!r}: {meant}choose one of {', '.join(BASE_TRACKERS)}")
    return BASE_TRACKERS[name]


def export_formats() -> list[str]:
    """The formats that one base tracker or another can be exported in."""
    return list(dict.fromkeys(kind for tracker in BASE_TRACKERS.values() for kind in tracker.exports))
