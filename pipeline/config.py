"""What the settings of all stages share: typed, frozen, an unknown key is an error, and what came later is told apart.

Settings are what a result depends on; whereabouts are where and how the work runs. A stage's config is both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.errors import UsageError


class Settings(BaseModel):
    """Base of every settings object."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _rising(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] >= limits[1]:
        raise ValueError("expected LOW,HIGH with LOW below HIGH")
    return limits


ValueRange = Annotated[tuple[float, float], AfterValidator(_rising)]
"""Raw values (low, high) of TIR that become 0 and 255."""
OnExisting = Literal["resume", "overwrite", "fail"]


class Whereabouts(Settings):
    """Where and how a stage runs; no result depends on it.

    Attributes:
        out: folder for what the stage makes.
        workers: local processes.
        scheduler: address of a Dask scheduler, instead of local processes.
        on_existing: what to do with an output folder that an earlier run made.
    """

    out: Path
    workers: int = Field(default=1, ge=1)
    scheduler: str | None = None
    on_existing: OnExisting = "resume"


def recorded(settings: Mapping[str, object], before: Mapping[str, object]) -> dict[str, object]:
    """Settings as they are written down: those that came later only where they differ from how it was before.

    So a folder that was made before there was such a setting stays that of its settings.

    Args:
        settings: by name.
        before: the settings that came later -> what was done before they came.
    """
    return {name: value for name, value in settings.items() if name not in before or value != before[name]}


def differing(config: Settings) -> set[str]:
    """The fields of a config that differ from their defaults."""
    fields = type(config).model_fields.items()
    return {name for name, field in fields if getattr(config, name) != field.get_default(call_default_factory=True)}


def refuse_idle(given: Collection[str], idle: Mapping[str, str], options: Collection[str] | None = None) -> None:
    """See to it that no setting is given that would do nothing.

    Args:
        given: names of the settings that were typed, or that differ from their defaults.
        idle: settings without effect, given the others -> what would use them.
        options: settings that the command has an option for; the others are given by ``--set``. None: all have one.

    Raises:
        UsageError: the first that is both.
    """
    for name in sorted(set(given) & idle.keys()):
        told = f"--{name.replace('_', '-')}" if options is None or name in options else f"--set {name}"
        raise UsageError(f"{told} has no effect here, it is for {idle[name]}: leave it out")
