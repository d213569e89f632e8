"""Cross-modal distillation trainer of cmd-tir: consumes shards, trains DiMP and ATOM students."""

DISTRIBUTION = "cmd-tir"
