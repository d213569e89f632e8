"""Offline data preparation of cmd-tir: aligned RGB-TIR pairs, mined patches, HDF5 shards."""

from functools import cache

__all__ = ["DISTRIBUTION", "tool_version"]

DISTRIBUTION = "cmd-tir"


@cache
def tool_version() -> str:
    """This tool's version as installed; looked up once, since a package's metadata take a millisecond to read."""
    from importlib.metadata import version

    return version(DISTRIBUTION)
