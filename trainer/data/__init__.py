"""What training sees: shards, what validates, windows, what each branch is fed."""

from trainer.data.feeds import Feed
from trainer.data.windows import WindowDataset

__all__ = ["Feed", "WindowDataset"]
