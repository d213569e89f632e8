"""The settings of a stage as a table for people: what was not given is left out, long values stay whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.pages.html import Section


def settings_section(settings: Mapping[str, Any]) -> Section:
    """A row a setting, by name; those that are None or empty are left out."""
    rows = [(key, flat(value)) for key, value in sorted(settings.items()) if value not in (None, [], {}, "")]
    return Section("Settings", table=[("setting", "value"), *rows])


def flat(value: Any) -> str:
    """A value of JSON in one line: numbers to four digits, ``none`` for what is not given."""
    if value is None or value == {}:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {flat(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(flat, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
