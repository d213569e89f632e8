"""Mining methods: where the pseudo boxes of a pair come from; each is a class and a line in the registry."""

from __future__ import annotations

from pipeline.errors import UsageError
from pipeline.mine.methods.base import Method, PairView, Proposed
from pipeline.mine.settings import MineSettings
from pipeline.registries import METHODS

__all__ = ["Method", "PairView", "Proposed", "build_method", "method_class"]


def build_method(settings: MineSettings) -> Method:
    """The method that the settings ask for, with its settings checked and nothing read yet.

    Raises:
        UsageError: it cannot be imported, or is no method.
        ValidationError: a setting of its own does not fit.
    """
    return method_class(settings.method)(settings)


def method_class(name: str) -> type[Method]:
    """The class of a method.

    Raises:
        UsageError: it cannot be imported, or is no method.
    """
    method = METHODS.load(name)
    if not (isinstance(method, type) and issubclass(method, Method)):
        raise UsageError(f"mining method {name} is no class derived from pipeline.mine.methods.Method")
    return method
