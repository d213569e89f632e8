"""What mends a folder of shards that has faults."""

from __future__ import annotations

from pathlib import Path

from pipeline.next_command import ANEW, to_type
from pipeline.shards.index import ShardIndex
from pipeline.shards.schema import SCHEMA_VERSION


def cure(folder: Path, index: ShardIndex, *, resume: bool) -> str:
    """What to do, with the command that does it where the folder knows it.

    Args:
        folder: of the shards.
        index: its index.
        resume: whether all that is at fault is lost or altered files: mining goes on with those. A file that is as it
            was written it would keep, and a folder of an older schema it does not add to.
    """
    anew = () if resume and index.schema_version == SCHEMA_VERSION else ANEW
    if not index.typed:
        return f"restore them, or mine again{' with ' * bool(anew)}{' '.join(anew)}"
    line = to_type(*index.typed, *_default_of_then(index), "--out", str(folder.absolute()), *anew)
    return f"restore them, or mine again: {line}"


def _default_of_then(index: ShardIndex) -> list[str]:
    """What commands did not say while a third was the default of ``--center-fraction``; they always say it since."""
    fraction, option = index.settings.get("center_fraction"), "--center-fraction"
    return [] if fraction is None or option in index.command else [option, str(fraction)]
