"""The shard: the HDF5 contract between `cmd-prep` and `cmd-train`."""
