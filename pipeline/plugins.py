"""Things chosen by name: a registry holds names and import paths, so that listing the choices imports none of them."""

from __future__ import annotations

import importlib
import importlib.util
import re
import struct
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline.errors import UsageError, did_you_mean
from pipeline.files.hashing import file_sha256

_REFERENCE = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
_imported: dict[str, tuple[ModuleSpec, str]] = {}
"""Modules of one's own that this process runs -> the import that made each, and the SHA-256 of its file then."""


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
            return getattr(importlib.import_module(module) if name in self.paths else _import_own(module), attribute)
        except ImportError as error:
            found = not f"{module}.".startswith(f"{error.name or module}.")
            raise self._missing(name, str(error), found=found) from error
        except AttributeError as error:
            raise self._missing(name, f"module {module} has no {attribute}", found=True) from error

    def source_sha256(self, name: str) -> str | None:
        """SHA-256 of the file that a plugged-in choice comes from; None for a listed one, whose version is ours.

        Raises:
            UsageError: there is no such module, or no file that it comes from, or the file is another one by now than
                what this process imported: the hash would be that of code that does not run.
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
        path = _file_of(spec)
        if path is None:
            raise self._missing(name, f"module {module} comes from no file, so a run could not be tied to it")
        sha256 = file_sha256(path)
        if module in sys.modules and not _runs(spec, path, sha256):
            raise UsageError(
                f"{self.kind} {name}: {path} changed after this process had imported it: "
                "restart the process (notebook, Dask worker), so that what runs is what is recorded"
            )
        return sha256

    def _missing(self, name: str, reason: str, *, found: bool = False) -> UsageError:
        """Why a name stands for nothing, and what to do; ``found`` where its module is there."""
        listed = "this installation lacks it: install cmd-tir again, with what it depends on"
        own = "mend the module, or the name" if found else "put the folder it is in on PYTHONPATH, for every worker"
        return UsageError(f"{self.kind} {name}: {reason}: {listed if name in self.paths else own}")


def _import_own(name: str) -> ModuleType:
    """Import a module, and remember the hash of its file, taken before: an edit in between is then noticed."""
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    path = _file_of(spec)
    sha256 = file_sha256(path) if path else None
    module = importlib.import_module(name)
    if sha256 and module.__spec__:
        _imported[name] = module.__spec__, sha256
    return module


def _file_of(spec: ModuleSpec | None) -> Path | None:
    """The file that a module comes from, if it comes from one."""
    path = Path(spec.origin) if spec and spec.origin else None
    return path if path and path.is_file() else None


def _runs(spec: ModuleSpec, path: Path, sha256: str) -> bool:
    """Whether an imported module was made from its file as it is now. A reload gives a module another spec."""
    known, then = _imported.get(spec.name, (None, ""))
    if known is not spec:
        if not _compiled_from(path, spec.cached):
            return False
        _imported[spec.name], then = (spec, sha256), sha256
    return then == sha256


def _compiled_from(path: Path, cached: str | None) -> bool:
    """Whether the bytecode that Python kept of a file is of the file as it is now; true where it kept none.

    For modules that somebody else had imported before they were asked for here.
    """
    try:
        with Path(cached or "").open("rb") as file:
            magic, flags, *source = struct.unpack("<4sIII", file.read(16))
    except (OSError, struct.error):
        return True
    now = path.stat()
    # Bytecode with flags is told by the hash of its source instead.
    return bool(magic != importlib.util.MAGIC_NUMBER or flags or source == [int(now.st_mtime), now.st_size])
