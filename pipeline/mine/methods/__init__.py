"""Mining methods: where the pseudo boxes of a pair come from; each is a class and a line in the registry."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.detect import Survey
from pipeline.errors import UsageError
from pipeline.mine.methods.base import Method, PairView, Proposed
from pipeline.mine.settings import MineConfig, MineSettings
from pipeline.registries import METHODS

__all__ = ["Method", "PairView", "Proposed", "build_method", "method_class", "open_method"]


def build_method(settings: MineSettings) -> Method:
    """The method that the settings ask for, with its settings checked and nothing read yet.

    Raises:
        UsageError: it cannot be imported, or is no method.
        ValidationError: a setting of its own does not fit.
    """
    return method_class(settings.method)(settings)


def open_method(config: MineConfig, recipe: Mapping[str, object], survey: Survey) -> Method:
    """The method of a run, ready to work in this process, of the very sources that the run was started with.

    Args:
        config: of the run.
        recipe: what its shards note of settings and sources.
        survey: what is settled of the pairs.

    Raises:
        UsageError: what is plugged in is another version than the run's.
    """
    method = build_method(config)
    method.refuse_other_sources(recipe)
    method.surveyed = survey
    method.open(config)
    # Once more: a detector is imported only when it is built.
    method.refuse_other_sources(recipe)
    return method


def method_class(name: str) -> type[Method]:
    """The class of a method.

    Raises:
        UsageError: it cannot be imported, or is no method.
    """
    method = METHODS.load(name)
    if not (isinstance(method, type) and issubclass(method, Method)):
        raise UsageError(f"mining method {name} is no class derived from pipeline.mine.methods.Method")
    return method
