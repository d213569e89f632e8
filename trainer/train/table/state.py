"""How far a row of ``--recipe all`` is, told by its folder, and whether it was trained as is asked now."""

from __future__ import annotations

from typing import Any

from pipeline.errors import DataError, UsageError
from pipeline.files.json_text import read_json
from pipeline.runtime.output import refuse_existing, refuse_other
from pipeline.shards.index import load_index
from trainer.checkpoints.run_folder import IDENTITY, META, MODEL, REPORT, RUN, RunFolder
from trainer.data.shards import fingerprint
from trainer.recipes.recipe import Recipe
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import BEFORE, TrainConfig, TrainSettings


def state_of(config: TrainConfig, recipe: Recipe) -> str:
    """``done``, ``to do`` or ``to resume``.

    Raises:
        UsageError: its folder holds another run, or, under ``fail``, any.
    """
    folder = RunFolder(config.out)
    existing = folder.existing()
    if existing and config.on_existing == "fail":
        refuse_existing(config.out, existing[0].name)
    if not existing or config.on_existing == "overwrite":
        return "to do"
    if not (config.out / MODEL).is_file() or not (config.out / META).is_file():
        return "to resume"
    try:
        meta: dict[str, Any] = read_json(config.out / META)
        epochs, tracker = int(meta.get("epoch", 0)), meta["tracker"]
    except (DataError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{config.out / META}: not the description of a run: remove {config.out}") from error
    if tracker != config.tracker:
        raise UsageError(f"{config.out} holds a {tracker}: take another --out for {config.tracker}")
    if not recipe.trains:
        return "done"
    refuse_other_settings(config)
    return "done" if epochs >= config.epochs and (config.out / REPORT).is_file() else "to resume"


def refuse_other_settings(config: TrainConfig) -> None:
    """Refuse a row that was trained with other settings or shards.

    Raises:
        UsageError: it was.
    """
    run: dict[str, Any] = read_json(config.out / RUN)
    # A recipe's file and a teacher's count by what is in them, not by where they lie.
    compared = {"results", *TrainSettings.model_fields} - {"recipe", "teacher"}
    began = run.get(IDENTITY) or run["settings"]
    then, now = ({key: each[key] for key in compared if key in each} for each in (began, config.identity()))
    # None is what the row's default comes to: shards of one instant alone are refused where it is two.
    now["instants"] = resolve_row(config).instants
    if config.shards:
        now["shards"], then["shards"] = fingerprint(map(load_index, config.shards)), run["shards"]
    refuse_other(config.out, then, now, BEFORE)
