"""The other versions of NanoTrack, known by names in their files."""

from __future__ import annotations

from collections.abc import Iterable

_MARKS = {"corr_pw.": "NanoTrack V1", "down_cls.": "NanoTrack V3", "down_reg.": "NanoTrack V3"}
"""Modules of their heads that V2's does not have: V1 correlates once for both halves, V3 joins the template's features
to the correlation."""


def other_version(names: Iterable[str]) -> str | None:
    """The version that a file is of which has entries of these names; None where nothing tells."""
    plain = (name.removeprefix("ban_head.") for name in names)
    return next((version for name in plain for mark, version in _MARKS.items() if name.startswith(mark)), None)
