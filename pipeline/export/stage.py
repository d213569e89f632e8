"""Out of shards: pictures as they are stored, and boxes as other programs read them."""

from __future__ import annotations

import logging
import time
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.config import differing, refuse_idle
from pipeline.errors import UsageError
from pipeline.export.categories import Categories, coco_id, refuse_classless
from pipeline.export.entries import Entry, entries
from pipeline.export.formats import Coco, Folders, Format, Yolo
from pipeline.export.result import ExportResult
from pipeline.export.settings import ExportConfig
from pipeline.files.hashing import text_sha256
from pipeline.files.json_text import write_json
from pipeline.files.writing import write_bytes
from pipeline.manifests import load_manifest
from pipeline.runtime.asked import MADE_BY, made_by
from pipeline.runtime.output import made_in, owned
from pipeline.runtime.progress import ProgressBar, followed
from pipeline.shards.index import ShardIndex, load_index

log = logging.getLogger(__name__)

NOTE = "export.json"
"""What was exported of what, under which licence; written last."""
MADE = ("rgb/**/*", "tir/**/*", "rgb.json", "tir.json", "boxes.jsonl", NOTE, "plan.json")


def run(config: ExportConfig) -> ExportResult:
    """Export a folder of shards, as ``cmd-prep export`` does.

    Raises:
        UsageError: an output folder that does not fit, a setting that would have no effect, or boxes none of which has
            a class.
        DataError: shards that are missing or damaged.
    """
    start = time.monotonic()
    refuse_idle(differing(config), config.without_effect())
    index = load_index(config.shards)
    if config.format != "folders" and config.unclassed is None:
        refuse_classless(config.shards, index)
    hashes = text_sha256("\n".join(f"{entry.file} {entry.sha256}" for entry in index.shards))
    settings = {"format": config.format, "unclassed": config.unclassed, "scores": config.scores}
    plan = {"stage": "export", **settings, "shards_sha256": hashes}
    with owned(config.out, plan, config.on_existing, MADE):
        return _export(config, index, settings | {MADE_BY: made_by({"shards": hashes})}, start)


def _export(config: ExportConfig, index: ShardIndex, settings: dict[str, Any], start: float) -> ExportResult:
    categories, files = Categories(index, config.unclassed), _format(config)
    (config.out / NOTE).unlink(missing_ok=True)
    pairs, left_out, size = 0, 0, 0
    classes: Counter[int] = Counter()
    total = sum(entry.pairs for entry in index.shards)
    for entry in followed(entries(config.shards, index), ProgressBar("export", total, "pairs")):
        kept = entry if config.format == "folders" else _classed(entry, categories.unclassed)
        size += _write_pictures(config.out, files.below, kept)
        files.add(kept)
        pairs, left_out = pairs + 1, left_out + len(entry.boxes) - len(kept.boxes)
        classes.update(kept.classes.tolist())
    names = {number: categories.name(number) for number in sorted(classes)}
    manifest = index.source.get("manifest")
    licence = _licence(manifest)
    files.end({number: name for number, name in names.items() if number >= 0}, licence)
    boxes = {names[number]: classes[number] for number in names}
    written = {name: coco_id(number) if config.format == "coco" else number for number, name in names.items()}
    told = {"pairs": pairs, "boxes": sum(boxes.values()), "left_out": left_out, "bytes": size}
    source = {"manifest": manifest, "licence": licence, "shards": str(config.shards.resolve())}
    numbers = {str(number): name for number, name in names.items()}
    write_json(config.out / NOTE, settings | source | {"classes": numbers, "totals": told})
    seconds = time.monotonic() - start
    there = made_in(config.out, MADE)
    return ExportResult(
        config.out, pairs, told["boxes"], boxes, written, left_out, manifest, licence, size, seconds, there
    )


def _format(config: ExportConfig) -> Format:
    if config.format == "coco":
        return Coco(config.out)
    return Yolo(config.out, config.scores) if config.format == "yolo" else Folders(config.out)


def _classed(entry: Entry, unclassed: int | None) -> Entry:
    """The pair with boxes that have a class: those without get ``unclassed``, or are left out."""
    without = entry.classes < 0
    if unclassed is None:
        return entry.take(~without)
    entry.classes[without] = unclassed
    return entry


def _write_pictures(out: Path, below: str, entry: Entry) -> int:
    """Write both pictures, unless an earlier run has; return their bytes."""
    for modality, (name, data) in entry.pictures.items():
        path = out / modality / below / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, data)
    return sum(len(data) for _, data in entry.pictures.values())


def _licence(manifest: str | None) -> str | None:
    """The terms of a data set, in the words of its manifest; None where no manifest of that name ships."""
    try:
        return load_manifest(manifest).licence if manifest else None
    except UsageError:
        log.warning("no manifest %s ships, so that the licence of the pictures is not known here", manifest)
        return None
