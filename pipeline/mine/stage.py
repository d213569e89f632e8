"""Stage 2: cut paired patches from aligned pairs and write them as shards.

One task is one shard, planned before the work starts, so a rerun finds the finished ones by their stats files.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from tqdm import tqdm

from pipeline import DISTRIBUTION
from pipeline.detect import Survey
from pipeline.errors import DataError, UsageError
from pipeline.files.hashing import file_sha256
from pipeline.files.json_text import read_json, write_json
from pipeline.mine.aligned_pairs import AlignedPairs, aligned_root, survey_pairs
from pipeline.mine.methods import build_method
from pipeline.mine.result import MineResult, result_of
from pipeline.mine.settings import BEFORE, RESULTS, MineConfig
from pipeline.mine.shard_task import Task, mine_shard
from pipeline.records import Reject, write_rows
from pipeline.runtime.executor import run_tasks
from pipeline.runtime.output import owned
from pipeline.shards.index import INDEX, load_index
from pipeline.shards.schema import SCHEMA_VERSION
from pipeline.shards.writer import stats_path

log = logging.getLogger(__name__)

MADE = (
    "shard-*.h5",
    "shard-*.stats.json",
    "rejects.jsonl",
    "index.json",
    "plan.json",
    "report.html",
)


def run(config: MineConfig) -> MineResult:
    """Mine a folder of aligned pairs into shards, as ``cmd-prep mine`` does.

    Raises:
        UsageError: settings or an output folder that do not fit.
        DataError: input that is missing or damaged.
    """
    start = time.monotonic()
    if config.out.resolve() == config.aligned.resolve():
        raise UsageError(f"--out {config.out} is the folder of --aligned: choose another --out")
    method = build_method(config)
    aligned = survey_pairs(config.aligned / "aligned.jsonl")
    survey = method.survey(aligned.pairs, config)
    recipe = method.recipe() | method.inputs(config)
    plan = {
        "stage": "mine",
        "results": RESULTS,
        "schema_version": SCHEMA_VERSION,
        "recipe": recipe,
        "aligned_sha256": file_sha256(aligned.source),
    }
    before = {f"recipe.{name}": value for name, value in BEFORE.items()}
    with owned(config.out, plan, config.on_existing, MADE, before=before, finished=_complete) as older:
        if older:
            log.info("%s is finished in an older schema and kept", config.out)
            return result_of(config.out, load_index(config.out).totals, time.monotonic() - start)
        root = config.root or aligned_root(config.aligned / "align.json")
        if not root.is_dir():
            raise DataError(f"{root}: the data set is not there any more: say where with --root")
        tasks = list(_tasks(config, aligned, root, recipe, survey))
        todo = [task for task in tasks if not _finished(task.path)]
        if len(todo) < len(tasks):
            log.info("%d of %d shards are finished and kept", len(tasks) - len(todo), len(tasks))
        results = run_tasks(mine_shard, todo, config.workers, config.scheduler, config.worker_resources)
        for _ in tqdm(results, total=len(todo), desc=f"mine {config.method}", unit="shard", disable=None):
            pass
        totals = _write_index(config, plan, root, [stats_path(task.path) for task in tasks], aligned, survey)
    return result_of(config.out, totals, time.monotonic() - start)


def _tasks(
    config: MineConfig, aligned: AlignedPairs, root: Path, recipe: dict[str, Any], survey: Survey
) -> Iterator[Task]:
    """One task a shard."""
    size = config.pairs_per_shard
    for number, first in enumerate(range(0, len(aligned.ids), size)):
        path, part = config.out / f"shard-{number:05d}.h5", slice(first, first + size)
        yield Task(path, aligned.source, root, config, recipe, aligned.offsets[part], survey.of(aligned.ids[part]))


def _finished(shard: Path) -> bool:
    """A shard is finished when its stats file, written last, is there and agrees with the file's size."""
    if not (shard.is_file() and stats_path(shard).is_file()):
        return False
    return read_json(stats_path(shard)).get("bytes") == shard.stat().st_size


def _complete(folder: Path) -> bool:
    """Whether every shard that the index of a folder names is there."""
    return (folder / INDEX).is_file() and all(_finished(folder / entry.file) for entry in load_index(folder).shards)


def _write_index(
    config: MineConfig, plan: dict[str, Any], root: Path, stats: list[Path], aligned: AlignedPairs, survey: Survey
) -> dict[str, Any]:
    """Gather the shards' stats into ``rejects.jsonl`` and ``index.json``; return the totals."""
    entries: list[dict[str, Any]] = []
    classes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()

    def rejects() -> Iterator[Reject]:
        for path in stats:
            content: dict[str, Any] = read_json(path)
            entries.append({key: content[key] for key in ("file", "sha256", "bytes", "pairs", "patches")})
            classes.update(content["classes"])
            for row in content["rejects"]:
                reasons[row["reason"]] += 1
                yield Reject.model_validate(row)

    write_rows(config.out / "rejects.jsonl", rejects())
    totals: dict[str, Any] = {key: sum(entry[key] for entry in entries) for key in ("bytes", "pairs", "patches")}
    totals |= {"pairs_in": len(aligned.ids), "classes": dict(sorted(classes.items()))}
    totals |= {"rejects": dict(sorted(reasons.items()))} | ({"detections": survey.counts} if survey.counts else {})
    versions = {"cmd-tir": version(DISTRIBUTION), "numpy": np.__version__, "h5py": h5py.__version__}
    source: dict[str, Any] = {"aligned_sha256": plan["aligned_sha256"], "root": str(root.resolve())}
    source["tir_ranges"] = aligned.tir_ranges
    index = {"schema_version": SCHEMA_VERSION, "settings": plan["recipe"], "versions": versions, "source": source}
    write_json(config.out / INDEX, index | {"totals": totals, "shards": entries})
    return totals
