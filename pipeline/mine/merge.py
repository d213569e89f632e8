"""The end of mining: the shards' stats become ``rejects.jsonl`` and ``index.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.files.json_text import read_json, write_json
from pipeline.records import Reject, write_rows
from pipeline.shards.index import INDEX
from pipeline.shards.schema import SCHEMA_VERSION


def merge(out: Path, stats: list[Path], counts: dict[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """Gather the shards' stats; return the totals.

    Args:
        out: the folder of the shards.
        stats: their stats files, in order.
        counts: totals that no shard knows.
        content: what else the index says of the run: ``settings``, ``source``, ``command``, ``made_by``.
    """
    entries: list[dict[str, Any]] = []
    classes: Counter[str] = Counter()
    tracked: list[int] = []
    reasons: Counter[str] = Counter()
    fallbacks: list[int] = []
    names: dict[str, str] = {}

    def rejects() -> Iterator[Reject]:
        for path in stats:
            shard: dict[str, Any] = read_json(path)
            entries.append({key: shard[key] for key in ("file", "sha256", "bytes", "pairs", "patches")})
            classes.update(shard["classes"])
            names.update(shard.get("class_names", {}))
            tracked.append(shard.get("tracked", 0))
            if "fallbacks" in shard:
                fallbacks.append(shard["fallbacks"])
            for row in shard["rejects"]:
                reasons[row["reason"]] += 1
                yield Reject.model_validate(row)

    write_rows(out / "rejects.jsonl", rejects())
    totals: dict[str, Any] = {key: sum(entry[key] for entry in entries) for key in ("bytes", "pairs", "patches")}
    totals |= counts | {"classes": dict(sorted(classes.items())), "rejects": dict(sorted(reasons.items()))}
    if any(tracked):
        totals["tracked"] = sum(tracked)
    if names:
        totals["class_names"] = names
    if fallbacks:
        totals |= {"fallbacks": sum(fallbacks), "fallback_ratio": round(sum(fallbacks) / max(totals["pairs"], 1), 6)}
    index = {"schema_version": SCHEMA_VERSION, **content, "totals": totals, "shards": entries}
    write_json(out / INDEX, index)
    return totals
