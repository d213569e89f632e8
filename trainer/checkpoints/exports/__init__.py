"""A student in the formats of other programs; :mod:`trainer.base_trackers` says which a base tracker has."""

from __future__ import annotations

from trainer.checkpoints.exports.write import write_export

__all__ = ["write_export"]
