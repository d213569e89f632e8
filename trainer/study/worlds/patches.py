"""Which patches the rows of a study draw from."""

from __future__ import annotations

from trainer.study.presets import Preset
from trainer.study.settings import Scope

OTHER = {"center": "detection", "detection": "center"}
"""Patches that the verdict is about, and those of which the same is told beside it."""
_OWN = {"d4": "random", "d5": "detection", "t3": "detection-tubes", "k3": "detection"}
"""Rows with patches of their own."""


def kinds_of(patches: str, preset: Preset, scope: Scope) -> set[str]:
    """Kinds of patches that a part of a study draws from, true boxes aside.

    Args:
        patches: of the chain that is judged.
        preset: how large the study is.
        scope: the part.
    """
    kinds = {patches, *(kind for row, kind in _OWN.items() if row in scope.rows)}
    return kinds | {OTHER[patches]} if preset.secondary else kinds
