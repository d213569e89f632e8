"""The data-set manifests shipped with cmd-tir: one YAML a data set."""

__all__ = ["DISTRIBUTION"]

DISTRIBUTION = "cmd-tir"
