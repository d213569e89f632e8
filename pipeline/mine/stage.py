"""Stage 2: cut paired patches from aligned pairs and write them as shards.

One task is one shard, planned before the work starts, so a rerun finds the finished ones.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.config import differing, refuse_idle
from pipeline.detect import Survey
from pipeline.errors import DataError, UsageError
from pipeline.files.hashing import file_sha256
from pipeline.images.orientation import IGNORED
from pipeline.mine import page
from pipeline.mine.command_line import command_line
from pipeline.mine.effects import without_effect
from pipeline.mine.finished import complete, finished
from pipeline.mine.merge import merge
from pipeline.mine.methods import build_method
from pipeline.mine.pairs import AlignedPairs, Task, aligned_root, manifest_name, survey_pairs
from pipeline.mine.result import MineResult, result_of
from pipeline.mine.settings import BEFORE, DEFAULTS_BEFORE, RESULTS, MineConfig
from pipeline.mine.shard_task import mine_shard
from pipeline.mine.tubes.link import Detects, linker
from pipeline.mine.tubes.run import Tubes, follow_all
from pipeline.pages import html
from pipeline.runtime.asked import MADE_BY, made_by
from pipeline.runtime.counting import Tally
from pipeline.runtime.executor import run_tasks
from pipeline.runtime.output import made_in, owned
from pipeline.runtime.progress import Course, ProgressBar
from pipeline.runtime.ratios import DO_THEY_FIT, GOT_RANDOM
from pipeline.shards.index import load_index
from pipeline.shards.reader import ShardReader
from pipeline.shards.schema import SCHEMA_VERSION
from pipeline.shards.tubes import stored_tubes, tube_counts
from pipeline.shards.writer import stats_path

log = logging.getLogger(__name__)

MANY = 0.5
"""Share of random patches among detections above which a warning says so."""

REPORT = "report.html"
MADE = (
    "shard-*.h5",
    "shard-*.stats.json",
    "segment-*.npz",
    "rejects.jsonl",
    "index.json",
    "plan.json",
    REPORT,
)


def run(config: MineConfig, *, report: bool = True) -> MineResult:
    """Mine a folder of aligned pairs into shards, as ``cmd-prep mine`` does.

    Args:
        config: settings and whereabouts.
        report: write ``report.html`` too; a folder that is finished in an older schema is left as it is.

    Raises:
        UsageError: settings or an output folder that do not fit, a setting that would have no effect, or a report that
            cannot be written.
        DataError: input that is missing or damaged.
    """
    start = time.monotonic()
    if config.out.resolve() == config.aligned.resolve():
        raise UsageError(f"--out {config.out} is the folder of --aligned: choose another --out")
    refuse_idle(differing(config), without_effect(config))
    method = build_method(config)
    aligned = survey_pairs(config.aligned / "aligned.jsonl")
    if aligned.turned:
        log.warning("%d pairs have %s", aligned.turned, IGNORED)
    survey = method.survey(aligned.pairs, config)
    recipe = method.recipe() | method.inputs(config) | dict(survey.recorded)
    if config.tubes and isinstance(method, Detects):
        recipe["linker"] = linker()
    plan = {
        "stage": "mine",
        "results": RESULTS,
        "schema_version": SCHEMA_VERSION,
        "recipe": recipe,
        "aligned_sha256": file_sha256(aligned.source),
    }
    before = {f"recipe.{name}": value for name, value in (BEFORE | DEFAULTS_BEFORE).items()}
    # Nobody knows what linked the segments of a folder that does not tell: none goes on with them.
    before["recipe.linker"] = "not recorded"
    if survey.content_sha256:
        # In the plan alone, which a folder that was begun without it may lack: shards stay what they were.
        plan["detections_content_sha256"] = before["detections_content_sha256"] = survey.content_sha256
    whole = partial(complete, quick=config.quick)
    with owned(config.out, plan, config.on_existing, MADE, before=before, finished=whole) as older:
        if older:
            log.info("%s is finished in an older schema and kept", config.out)
            totals = load_index(config.out).totals
        else:
            totals = _mine(config, plan, aligned, survey)
        drawn = html.save(page.build(config.out), config.out / REPORT) if report and not older else None
    result = result_of(config.out, totals, time.monotonic() - start, survey.class_names)
    _tell_fallbacks(result)
    return replace(result, page=drawn, files=made_in(config.out, MADE))


def _tell_fallbacks(result: MineResult) -> None:
    if result.fallback_ratio > MANY:
        log.warning(
            "%d of %d pairs (%.0f %%) %s: %s",
            *(result.fallbacks, result.pairs, 100 * result.fallback_ratio, GOT_RANDOM, DO_THEY_FIT),
        )


def _mine(config: MineConfig, plan: dict[str, Any], aligned: AlignedPairs, survey: Survey) -> dict[str, Any]:
    """Make the shards that are not there; return the totals of all."""
    root = config.root or aligned_root(config.aligned / "align.json")
    if not root.is_dir():
        raise DataError(f"{root}: the data set is not there any more: say where with --root")
    shards = math.ceil(len(aligned.ids) / config.pairs_per_shard)
    log.info(
        "plan: mine %s pairs by %s%s into %s %s; makes shard-*.h5, index.json, rejects.jsonl in %s",
        f"{len(aligned.ids):,}",
        config.method,
        ", followed through their sequences first," if config.tubes else "",
        f"{shards:,}",
        "shard" if shards == 1 else "shards",
        config.out,
    )
    pairs, tubes = len(aligned.ids), None
    if config.tubes:
        mining = pairs * build_method(config).pair_in_frames
        with Course(pairs + mining).piece(pairs):
            tubes = follow_all(config, aligned, root, survey, plan["recipe"])
    config = config.for_tasks(shards)
    tasks = list(_tasks(config, aligned, root, plan["recipe"], survey, tubes))
    kept = finished([task.path for task in tasks], config.quick)
    todo = [task for task, whole in zip(tasks, kept, strict=True) if not whole]
    if len(todo) < len(tasks):
        log.info("%d of %d shards are finished and kept", len(tasks) - len(todo), len(tasks))
    with ProgressBar(f"mine {config.method}", pairs, "pairs", done=pairs - sum(map(_size, todo))) as bar:
        where = config.workers, config.scheduler, config.worker_resources, Tally(bar, _size)
        for _ in run_tasks(mine_shard, todo, *where):
            pass
    source = {"aligned_sha256": plan["aligned_sha256"], "root": str(root.resolve())}
    source["tir_ranges"] = aligned.tir_ranges
    if name := manifest_name(config.aligned / "align.json"):
        source["manifest"] = name
    counts: dict[str, Any] = {"pairs_in": len(aligned.ids)}
    counts |= {"detections": survey.counts} if survey.counts else {}
    content = {"settings": plan["recipe"], "source": source, "command": command_line(config)}
    hashes = {name: hashed for name, hashed in plan["recipe"].items() if name.endswith("sha256")}
    content[MADE_BY] = made_by({"aligned.jsonl": plan["aligned_sha256"], **hashes}, np, h5py)
    if tubes:
        counts["tubes"] = tube_counts(list(stored_tubes([ShardReader(task.path) for task in tasks]))) | tubes.counts
    return merge(config.out, [stats_path(task.path) for task in tasks], counts, content)


def _size(task: Task) -> int:
    return len(task.offsets)


def _tasks(
    config: MineConfig,
    aligned: AlignedPairs,
    root: Path,
    recipe: dict[str, Any],
    survey: Survey,
    tubes: Tubes | None,
) -> Iterator[Task]:
    """One task a shard."""
    size, frames = config.pairs_per_shard, aligned.video_frames
    for number, first in enumerate(range(0, len(aligned.ids), size)):
        path, part = config.out / f"shard-{number:05d}.h5", slice(first, first + size)
        ids = aligned.ids[part]
        rows = aligned.offsets[part], frames[part], survey.of(ids), tubes.of(part, ids) if tubes else None
        yield Task(path, aligned.source, root, config, recipe, *rows)
