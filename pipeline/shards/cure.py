"""What mends a folder of shards that has faults."""

from __future__ import annotations

import shlex
from pathlib import Path

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
    anew = [] if resume and index.schema_version == SCHEMA_VERSION else ["--on-existing", "overwrite"]
    if not index.command:
        return f"restore them, or mine again{' with ' * bool(anew)}{' '.join(anew)}"
    words = [*index.command, *_default_of_then(index), "--out", str(folder.absolute()), *anew]
    return f"restore them, or mine again: {shlex.join(words)}"


def _default_of_then(index: ShardIndex) -> list[str]:
    """What commands did not say while a third was the default of ``--center-fraction``; they always say it since."""
    fraction, option = index.settings.get("center_fraction"), "--center-fraction"
    return [] if fraction is None or option in index.command else [option, str(fraction)]
