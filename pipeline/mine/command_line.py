"""A mining run as it is typed, so that its folder can say how it is made again."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.config import differing
from pipeline.mine.effects import without_effect
from pipeline.mine.settings import DEFAULTS_BEFORE, MineConfig

UNTYPED = frozenset({"options", "out", "quick", "on_existing", "workers", "scheduler", "worker_resources"})
"""Fields that are typed in another way, or that belong to one run and not to what it makes."""


def command_line(config: MineConfig) -> list[str]:
    """The words of the ``cmd-prep mine`` that makes the same folder, with ``--out FOLDER`` behind them.

    They do so wherever they are typed: paths are absolute. A setting whose default has changed once is always typed.
    """
    words, changed = ["cmd-prep", "mine"], differing(config) - UNTYPED
    changed |= DEFAULTS_BEFORE.keys() - without_effect(config).keys()
    for name in MineConfig.model_fields:
        if name in changed:
            value = getattr(config, name)
            words += ["--" + name.replace("_", "-"), *([] if value is True else [_typed(value)])]
    for name, value in sorted(config.options.items()):
        words += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return words


def _typed(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value.absolute() if isinstance(value, Path) else value)
