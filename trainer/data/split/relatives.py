"""What a run knows of the split before it opens its shards: its own record, or those of the runs it starts from."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import DataError
from pipeline.files.json_text import read_json
from pipeline.shards.index import load_index
from trainer.checkpoints.run_folder import MODEL, RUN, SPLIT
from trainer.data.shards import Source, fingerprint, of_kind, open_source
from trainer.data.split.apply import both_sides, old_split_source
from trainer.data.split.record import Split, join, read_split

log = logging.getLogger(__name__)


def inherited(
    starts: Sequence[Path], here: Source | None = None, above: frozenset[Path] = frozenset()
) -> tuple[str, Split] | None:
    """The split of the runs that another starts from, and what messages call them; None where none has one.

    A run of version 0.1 has no record: its split is made again by the rule of then, from its shards, where they are
    the ones that it names, or those of the run that asks.

    Args:
        starts: runs, or their models; other weights files say nothing.
        here: shards of the run that asks.
        above: folders that were looked at on the way, which are passed over.

    Raises:
        UsageError: they disagree.
        DataError: a record is damaged.
    """
    folders = [folder for start in starts if (folder := run_of(start)) and folder.resolve() not in above]
    named = [(str(folder), split) for folder in folders if (split := _split_of(folder, here, above))]
    joined = join(named)
    return (" + ".join(name for name, _ in named), joined) if joined else None


def run_of(start: Path) -> Path | None:
    """The folder of the run that an option means; None for weights that are no run's."""
    folder = start if start.is_dir() else start.parent
    return folder if (folder / RUN).is_file() and (start.is_dir() or start.name == MODEL) else None


def _split_of(folder: Path, here: Source | None, above: frozenset[Path]) -> Split | None:
    if (folder / SPLIT).is_file():
        return read_split(folder / SPLIT)
    run: Mapping[str, Any] = read_json(folder / RUN)
    settings: Mapping[str, Any] = run.get("settings", {})
    earlier = [Path(path) for path in (*settings.get("init", ()), *_merged(settings))]
    parents = inherited(earlier, here, above | {folder.resolve()})
    try:
        own = _old_split(folder, run, here) if "pairs" in run else None
    except (KeyError, TypeError) as error:
        raise DataError(f"{folder / RUN}: not the description of a run: restore it") from error
    if own and parents:
        # What the run itself did counts before what its parents did.
        return Split(own.held_out, own.split_seed, {**parents[1].sequences, **own.sequences})
    return own or (parents[1] if parents else None)


def _merged(settings: Mapping[str, Any]) -> list[str]:
    """The runs that ``cmd-train merge`` put together."""
    return [settings[name] for name in ("reference", "test") if isinstance(settings.get(name), str)]


def _old_split(folder: Path, run: Mapping[str, Any], here: Source | None) -> Split | None:
    """The split of a run that has no record, made again; None, with a warning, where that cannot be done."""
    settings: Mapping[str, Any] = run["settings"]
    for source in _old_shards(run, here):
        split, kinds = old_split_source(source, settings["held_out"], settings["split_seed"])
        training, validation = both_sides(source, kinds)
        if run["pairs"] == {"training": len(training), "held_out": len(validation)}:
            return split
    log.warning(
        "%s was trained before runs kept a record of what they hold out, and its shards are not where they were: "
        "it may have trained on what is held out here",
        folder,
    )
    return None


def _old_shards(run: Mapping[str, Any], here: Source | None) -> Iterator[Source]:
    """The shards of a run: where it names them, as the root's name counts that they tell; then those of who asks."""
    folders = tuple(map(Path, run["settings"].get("shards", ())))
    with contextlib.suppress(DataError):
        chosen = of_kind(folders, str(run["recipe"].get("patches"))) or folders
        if fingerprint(map(load_index, chosen)) == run["shards"]:
            same = here is not None and [reader.path for reader in here.readers] == [
                folder / entry.file for folder in chosen for entry in load_index(folder).shards
            ]
            yield here if here is not None and same else open_source(chosen)
    if here is not None and here.fingerprint == run["shards"]:
        yield here
