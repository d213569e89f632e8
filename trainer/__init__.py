"""Cross-modal distillation trainer of cmd-tir: consumes shards, trains DiMP and ATOM students."""

__all__ = ["DISTRIBUTION"]

DISTRIBUTION = "cmd-tir"
