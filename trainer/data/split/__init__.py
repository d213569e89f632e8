"""Which pairs train and which only measure: decided once, written into the run, handed on to its children."""

from trainer.data.split.record import Split, read_split
from trainer.data.split.relatives import inherited

__all__ = ["Split", "inherited", "read_split"]
