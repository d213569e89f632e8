"""What a later row of ``--recipe all`` would refuse, refused before the first one runs: that may be days before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import CmdTirError
from trainer.checkpoints.model_file import weights_file
from trainer.data.shards import Source, open_source
from trainer.data.split.apply import split_source
from trainer.data.split.record import Split, join
from trainer.data.split.relatives import inherited
from trainer.data.training_data import fit, known_to
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import TrainConfig


def refuse_ahead(config: TrainConfig, starts: Sequence[Path], rows: Sequence[TrainConfig], first: Path) -> None:
    """Refuse what rows that are yet to begin cannot do with their settings, their teacher or their shards.

    Args:
        config: settings of all rows.
        starts: what has decided so far which sequences are held out.
        rows: settings of each row that is to train.
        first: the run that all of them start from, which hands its split on.

    Raises:
        CmdTirError: what the row would raise, with its name in front.
    """
    if not rows:
        return
    every = open_source(config.shards)
    split = split_source(every, config.held_out, config.split_seed, known_to(config, starts, every))
    opened: dict[tuple[Path, ...], Source] = {}
    for row in rows:
        source = opened.get(row.shards) or opened.setdefault(row.shards, open_source(row.shards))
        try:
            fit(row, resolve_row(row), source, split)
            _refuse_teacher(row, split, source, first)
        except CmdTirError as error:
            raise type(error)(f"recipe {row.recipe}: {error}") from error


def _refuse_teacher(row: TrainConfig, split: Split, source: Source, first: Path) -> None:
    """Refuse a teacher that is not there, or has trained on what the row holds out; ``first`` is yet to be made.

    Raises:
        UsageError: it is so.
    """
    teacher = Path(row.teacher)
    if row.teacher == "init" or first.resolve() in (teacher.resolve(), teacher.resolve().parent):
        return
    weights_file(teacher, "setting teacher")
    if seen := inherited([teacher], source):
        join([(str(first), split), seen])
