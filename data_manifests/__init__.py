"""The data-set manifests shipped with cmd-tir: one YAML a data set."""

DISTRIBUTION = "cmd-tir"
