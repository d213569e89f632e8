"""What a study must be told of the world that it looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from trainer.study.plan import Run
from trainer.study.settings import Scope


@dataclass(frozen=True)
class World:
    """Where pairs, the teacher and the tests of one study come from.

    Attributes:
        name: of it.
        patches: of the whole chain.
        scope: all that the study's preset trains.
        runs: the runs of a part of that, each after what it needs.
        files: what runs find in the study's folder beside what earlier ones made: name -> text.
        inputs: what of the user's data decides the results: name -> hash.
        clips: sequence -> the clip that it is of; a sequence that is not named is its own.
        told: what the screen and ``plan.json`` say of the plan of a part, beside its runs.
    """

    name: Literal["synthetic", "real"]
    patches: str
    scope: Scope
    runs: Callable[[Scope], list[Run]]
    files: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    clips: Mapping[str, str] = field(default_factory=dict)
    told: Callable[[Scope], Mapping[str, object]] = lambda _: {}
