"""Reading files of ``torch.save`` without trusting them: tensors and plain containers come out, no code runs."""

from __future__ import annotations

import contextlib
import pickle
import pickletools
import re
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import torch
from safetensors import SafetensorError

from pipeline.errors import DataError
from trainer.checkpoints import numpy_scalars

_STAND_INS: list[tuple[Callable[..., object], str]] = [
    (type(name.rpartition(".")[2], (), {}), f"{package}.{name}")
    for package in ("ltr.admin", "dlframework.common.utils")
    for name in (
        "model_constructor.NetConstructor",
        "settings.Settings",
        "local.EnvironmentSettings",
        "stats.AverageMeter",
        "stats.StatValue",
    )
] + numpy_scalars.STAND_INS
"""Empty classes for the five that pytracking's files contain, under today's and the oldest name of their package,
and what reads NumPy's numbers."""

_STREAM_PICKLES = 4
"""What a file of torch before 1.6 has before its raw tensors: magic number, protocol, system information, content."""

_OWN = frozenset({"collections.OrderedDict", "_codecs.encode", *(name for _, name in _STAND_INS)})

_DAMAGE = (
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    SafetensorError,  # torch reads these too, by the name of the file
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
    zipfile.BadZipFile,
)
"""What the readers of torch and of the standard library raise on damaged files; OSError comes of a zip cut short."""


def read_pickle(path: Path) -> object:
    """The content of a file of ``torch.save`` (zip, or the stream format of torch before 1.6), on the CPU.

    Raises:
        DataError: the file names a class other than torch's own and pytracking's five, holds a value of NumPy that is
            no number, or cannot be read.
    """
    try:
        with torch.serialization.safe_globals([*_STAND_INS]), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            content: object = torch.load(path, map_location="cpu", weights_only=True)
    except numpy_scalars.ForeignScalarError as error:
        raise DataError(f"{path}: refused, since it holds {error}: save a plain state dict") from None
    except _DAMAGE as error:
        told = re.search(r"GLOBAL ([\w.]+)", str(error))
        names = [told[1]] if told else _foreign_names(path)
        if names:
            raise DataError(
                f"{path}: refused, since it names {', '.join(names)}, which could run code: save a plain state dict"
            ) from None
        raise DataError(f"{path}: not a weights file of torch, or a damaged one: fetch it again") from None
    return content


def _foreign_names(path: Path) -> list[str]:
    """The classes that a file names and that neither torch nor pytracking owns, found without unpickling."""
    names: list[str] = []
    with contextlib.suppress(*_DAMAGE), contextlib.ExitStack() as stack:
        if zipfile.is_zipfile(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
            members = [member for member in archive.namelist() if member.endswith("data.pkl")]
            streams = [stack.enter_context(archive.open(member)) for member in members]
        else:
            streams = [stack.enter_context(path.open("rb"))] * _STREAM_PICKLES
        for stream in streams:
            names.extend(_named_classes(stream))
    # Text and noise hold opcodes too: what Python could not import is no name.
    told = (name for name in dict.fromkeys(names) if all(map(str.isidentifier, name.split("."))))
    return [name for name in told if name not in _OWN and not name.startswith("torch.")]


def _named_classes(stream: IO[bytes]) -> Iterator[str]:
    """The full names of what one pickle imports, read from its opcodes."""
    recent: list[str] = []
    memo: dict[int, str] = {}
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".")
        elif opcode.name == "STACK_GLOBAL":
            yield ".".join(recent[-2:])
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = recent[-1] if recent else ""
        elif opcode.name in ("BINGET", "LONG_BINGET"):
            recent.append(memo.get(int(str(argument)), ""))
        elif isinstance(argument, str):
            recent.append(argument)
