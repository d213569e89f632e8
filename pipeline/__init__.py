"""Offline data preparation of cmd-tir: aligned RGB-TIR pairs, mined patches, HDF5 shards."""

__all__ = ["DISTRIBUTION"]

DISTRIBUTION = "cmd-tir"
