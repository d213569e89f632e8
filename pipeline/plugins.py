"""Things chosen by name: a registry holds names and import paths, so that listing the choices imports none of them."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError, did_you_mean
from pipeline.files.hashing import file_sha256

_REFERENCE = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")


class Registry:
    """The choices of one kind; beside them any importable ``package.module:name`` will do, so that nobody has to fork.

    Args:
        kind: what the choices are, for messages.
        paths: name -> ``package.module:name``.
    """

    def __init__(self, kind: str, paths: Mapping[str, str]) -> None:
        self.kind = kind
        self.paths = dict(paths)

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __contains__(self, name: object) -> bool:
        return name in self.paths

    def check(self, name: str) -> str:
        """Return a name that is listed or has the form of an import path.

        Raises:
            ValueError: it is neither; the message names the nearest.
        """
        if name in self.paths or _REFERENCE.fullmatch(name):
            return name
        raise ValueError(
            f"no {self.kind} is called {name!r}: {did_you_mean(name, self.paths)}choose {', '.join(self.paths)}, "
            "or name your own as package.module:name"
        )

    def load(self, name: str) -> Any:
        """Import what a name stands for.

        Raises:
            UsageError: it cannot be imported here.
        """
        module, _, attribute = self.paths.get(name, name).partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ImportError as error:
            raise self._missing(name, str(error)) from error
        except AttributeError as error:
            raise self._missing(name, f"module {module} has no {attribute}") from error

    def source_sha256(self, name: str) -> str | None:
        """SHA-256 of the file that a plugged-in choice comes from; None for a listed one, whose version is ours.

        Raises:
            UsageError: there is no such module, or no file that it comes from.
        """
        if name in self.paths:
            return None
        module = name.partition(":")[0]
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError) as error:
            raise self._missing(name, str(error)) from error
        if spec is None:
            raise self._missing(name, f"No module named {module!r}")
        if not (spec.origin and Path(spec.origin).is_file()):
            raise self._missing(name, f"module {module} comes from no file, so a run could not be tied to it")
        return file_sha256(Path(spec.origin))

    def _missing(self, name: str, reason: str) -> UsageError:
        return UsageError(f"{self.kind} {name}: {reason}: put the folder it is in on PYTHONPATH, for every worker")
