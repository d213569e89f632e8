"""The shard: the HDF5 contract between `cmd-prep` and `cmd-train`."""

from pipeline.shards.folder import Shards, StoredPair, StoredPatch, open_shards

__all__ = ["Shards", "StoredPair", "StoredPatch", "open_shards"]
