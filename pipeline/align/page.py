"""The align report: how well pairs fit before and after, scores, and what was rejected for which reason."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.align.pair_strips import QUANTILES, reject_strips, representatives, strips
from pipeline.files.json_text import read_json
from pipeline.pages import html
from pipeline.pages.settings_table import settings_section
from pipeline.records import AlignedPair, Reject, read_rows

SEQUENCES = 40
"""Sequences of which a pair is drawn."""
LISTED, DRAWN = 10, 3
"""Rejects of each reason that are listed, and that are drawn."""
SHOWN = (
    "Left to right: RGB with the TIR footprint, TIR, then before and after as a checkerboard and as edges (RGB "
    "cyan, TIR orange, white where they meet), and these edges at the corners, where a matrix errs most. A click "
    "shows every pixel."
)
"""What a strip of pictures shows."""


def build(folder: Path, root: Path | None, samples: int = html.SAMPLES) -> str:
    """The page for a folder that ``align`` wrote."""
    summary: dict[str, Any] = read_json(folder / "align.json")
    root = root or Path(str(summary["root"]))
    scores: list[float] = []
    names: list[str] = []
    sequences: dict[str, list[float]] = {}
    for row in read_rows(folder / "aligned.jsonl", AlignedPair):
        scores.append(row.score)
        names.append(row.sequence)
        sequences.setdefault(row.sequence, []).append(row.score)
    facts: list[tuple[str, object]] = [
        ("pairs in", f"{summary['pairs_in']:,}"),
        ("aligned", f"{summary['aligned']:,}"),
        ("rejected", f"{summary['rejected']:,}"),
        ("median score", f"{np.median(scores or [0]):.2f}"),
        ("seconds", f"{summary['seconds']:.1f}"),
    ]
    if "truth" in summary:
        facts.append(("median error against truth", f"{summary['truth']['median_px']:.2f} px"))
    plots = [html.histogram(np.array(scores), "score", span=(0, 1))]
    if summary["reasons"]:
        plots.append(html.bars(summary["reasons"], "pairs rejected"))
    if summary["flags"]:
        plots.append(html.bars(summary["flags"], "pairs flagged"))
    note = "A score of s means: of pairs with that score, about the share s is registered within 5 px."
    sections = [html.Section("Scores and reasons", note, plots=plots)]
    sections += _pair_sections(folder, root, np.array(scores), names, samples)
    if summary.get("cameras"):
        sections.append(_camera_section(summary["cameras"]))
    sections += _rejects(folder, root, sequences)
    if settings := summary.get("settings"):
        sections.append(settings_section(settings))
    title = f"Alignment of {Path(str(summary['root'])).name}"
    models = ", ".join(f"{name} {count}" for name, count in summary["models"].items())
    told = "".join(f" {line}." for line in summary.get("notes", ()))
    subtitle = f"{summary['layout_reason']}.{told} Models: {models}."
    return html.render(title, subtitle, facts, sections)


def _pair_sections(
    folder: Path, root: Path, scores: np.ndarray[Any, Any], names: list[str], samples: int
) -> list[html.Section]:
    """A pair of each sequence, then worst, median and best of the others; no pair is drawn twice."""
    order = np.argsort(scores, kind="stable")
    third = max(1, samples // 3)
    from_median = np.argsort(np.abs(np.arange(len(order)) - len(order) // 2), kind="stable")
    groups = {
        "Worst pairs kept": _spread(order, names, third),
        "Median pairs": _spread(order[from_median], names, third),
        "Best pairs": _spread(order[::-1], names, third),
    }
    typical = representatives(scores, names, SEQUENCES)
    wanted = {i for group in groups.values() for i in group} | set(typical)
    rows = {i: row for i, row in enumerate(read_rows(folder / "aligned.jsonl", AlignedPair)) if i in wanted}
    drawn = set(typical)
    sections = [_typical_section(root, [rows[i] for i in typical], len(set(names)))] if typical else []
    for title, group in groups.items():
        fresh = [i for i in group if i not in drawn]
        drawn.update(fresh)
        if fresh:
            sections.append(html.Section(title, SHOWN, strips=list(strips(root, (rows[i] for i in fresh)))))
    return sections


def _typical_section(root: Path, rows: list[AlignedPair], sequences: int) -> html.Section:
    """The pair of median score of each sequence, with its residual field."""
    note = (
        f"The pair of median score of {len(rows)} of {sequences} sequences. {SHOWN} The last picture shows where each "
        "block would still go: noise points every way, a common direction is a matrix that is off, one that changes "
        "over the picture is depth."
    )
    return html.Section("One pair of each sequence", note, strips=list(strips(root, rows, residual=True)))


def _camera_section(cameras: dict[str, dict[str, Any]]) -> html.Section:
    """The matrices that sequences share, and whether they are borne out."""
    head = ("camera", "model", "trusted", "split, px", "pairs", "median drift, px", "moved", "from")
    keys = ("model", "trusted", "split", "pairs", "drift", "moved", "moved_from")
    rows = [(name, *(_cell(of[key]) for key in keys)) for name, of in sorted(cameras.items())]
    note = (
        "One matrix a camera. Split: distance of two fits, each to half of the frames; over 5 px the matrix is not "
        "trusted and the pairs are registered one by one. Moved: pairs of runs that fit another matrix."
    )
    return html.Section("Cameras", note, table=[head, *rows[:200]])


def _cell(value: object) -> object:
    return "" if value is None else f"{value:.1f}" if isinstance(value, float) else value


def _spread(order: np.ndarray[Any, Any], names: list[str], count: int) -> list[int]:
    """The first ``count`` rows of an order, one a sequence before any gives a second."""
    seen: Counter[str] = Counter()
    ranked = []
    for place, row in enumerate(order):
        ranked.append((seen[names[row]], place, int(row)))
        seen[names[row]] += 1
    return [row for _, _, row in sorted(ranked)[:count]]


def _sequence_section(sequences: dict[str, list[float]], rejected: Counter[str]) -> html.Section:
    head = ("sequence", "pairs aligned", "rejected", *(f"score, {q:.0%} quantile" for q in QUANTILES))
    rows: list[tuple[object, ...]] = []
    for name in sorted(sequences.keys() | rejected.keys()):
        scores = sequences.get(name, [])
        told = [f"{q:.2f}" for q in np.quantile(scores, QUANTILES)] if scores else [""] * len(QUANTILES)
        rows.append((name, len(scores), rejected[name], *told))
    note = f"The first 200 of {len(rows)}." if len(rows) > 200 else ""
    return html.Section("Sequences", note, table=[head, *rows[:200]])


def _rejects(folder: Path, root: Path, sequences: dict[str, list[float]]) -> list[html.Section]:
    """What was kept and rejected of each sequence, and of each reason the first rejects, some of them drawn."""
    reasons: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    shown: list[Reject] = []
    for row in read_rows(folder / "rejects.jsonl", Reject):
        reasons[row.reason] += 1
        rejected[row.pair_id.rpartition("/")[0]] += 1
        if reasons[row.reason] <= LISTED and len(shown) < LISTED**2:
            shown.append(row)
    note = f"{sum(reasons.values())} rejected; up to {LISTED} of each reason are shown, all are in rejects.jsonl."
    pictures = list(reject_strips(root, shown, DRAWN))
    if pictures:
        note += " Drawn as the files have them: are these rightly left out?"
    table = [("pair", "reason", "detail"), *sorted(((r.pair_id, r.reason, r.detail) for r in shown), key=_reason)]
    return [_sequence_section(sequences, rejected), html.Section("Rejects", note, table=table, strips=pictures)]


def _reason(row: tuple[str, str, str]) -> str:
    return row[1]
