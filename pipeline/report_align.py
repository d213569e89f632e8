"""The align report: how well pairs fit before and after, scores, and what was rejected for which reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import drawing, html, images
from pipeline.boxes import footprint
from pipeline.pairing.sources import load_side
from pipeline.records import AlignedPair, Reject, read_json, read_rows

WIDTH = 320


def build(folder: Path, root: Path | None, samples: int) -> str:
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
    sections.append(_sequence_section(sequences))
    sections.append(_reject_section(folder))
    title = f"Alignment of {Path(str(summary['root'])).name}"
    models = ", ".join(f"{name} {count}" for name, count in summary["models"].items())
    subtitle = f"{summary['layout_reason']}. Models: {models}."
    return html.render(title, subtitle, facts, sections)


def _pair_sections(
    folder: Path, root: Path, scores: np.ndarray[Any, Any], names: list[str], samples: int
) -> list[html.Section]:
    """Worst, median and best pairs, of as many sequences as there are, without drawing any pair twice."""
    order = np.argsort(scores, kind="stable")
    third = max(1, samples // 3)
    from_median = np.argsort(np.abs(np.arange(len(order)) - len(order) // 2), kind="stable")
    groups = {
        "Worst pairs kept": _spread(order, names, third),
        "Median pairs": _spread(order[from_median], names, third),
        "Best pairs": _spread(order[::-1], names, third),
    }
    wanted = {i for group in groups.values() for i in group}
    rows = {i: row for i, row in enumerate(read_rows(folder / "aligned.jsonl", AlignedPair)) if i in wanted}
    note = "Left to right: RGB with the TIR footprint, TIR, checkerboard before and after, edges before and after."
    drawn: set[int] = set()
    sections = []
    for title, group in groups.items():
        fresh = [i for i in group if i not in drawn]
        drawn.update(fresh)
        if fresh:
            sections.append(html.Section(title, note, strips=list(_strips(root, (rows[i] for i in fresh)))))
    return sections


def _spread(order: np.ndarray[Any, Any], names: list[str], count: int) -> list[int]:
    """The first ``count`` rows of an order, one a sequence before any gives a second."""
    seen: Counter[str] = Counter()
    ranked = []
    for place, row in enumerate(order):
        ranked.append((seen[names[row]], place, int(row)))
        seen[names[row]] += 1
    return [row for _, _, row in sorted(ranked)[:count]]


def _strips(root: Path, rows: Iterable[AlignedPair]) -> Iterable[html.Strip]:
    for row in rows:
        try:
            yield _strip(root, row)
        except images.UnreadableImageError as error:
            yield html.Strip(f"{row.pair_id}: cannot be drawn: {error}", [])


def _strip(root: Path, row: AlignedPair) -> html.Strip:
    rgb = images.decode_rgb(load_side(root, row.rgb), row.rgb)
    tir = images.decode_tir(load_side(root, row.tir), row.tir, row.tir_range)
    matrix = np.array(row.homography).reshape(3, 3)
    scale = np.diag([row.rgb_size[0] / row.tir_size[0], row.rgb_size[1] / row.tir_size[1], 1.0])
    before, after = (images.warp_to_rgb(tir, m, row.rgb_size) for m in (scale, matrix))
    quad = footprint(matrix, *row.tir_size)
    pictures = {
        "RGB, TIR footprint": drawing.outline(rgb, quad),
        "TIR": drawing.thermal(tir),
        "before": drawing.checkerboard(rgb, before),
        "after": drawing.checkerboard(rgb, after),
        "edges before": drawing.edges(rgb, before),
        "edges after": drawing.edges(rgb, after),
    }
    shown = [html.Picture(html.picture_uri(drawing.fit_width(p, WIDTH)), name) for name, p in pictures.items()]
    shift = np.hypot(*(quad - footprint(scale, *row.tir_size)).T).mean()
    flags = f", flags {', '.join(row.flags)}" if row.flags else ""
    return html.Strip(f"{row.pair_id}: score {row.score:.2f}, {row.model}, corners moved {shift:.1f} px{flags}", shown)


def _sequence_section(sequences: dict[str, list[float]]) -> html.Section:
    head = ("sequence", "pairs aligned", "lowest score", "median score", "highest score")
    rows = [(n, len(s), f"{min(s):.2f}", f"{np.median(s):.2f}", f"{max(s):.2f}") for n, s in sorted(sequences.items())]
    note = f"The first 200 of {len(rows)}." if len(rows) > 200 else ""
    return html.Section("Sequences", note, table=[head, *rows[:200]])


def _reject_section(folder: Path, limit: int = 100) -> html.Section:
    reasons: Counter[str] = Counter()
    shown: list[tuple[str, str, str]] = []
    for row in read_rows(folder / "rejects.jsonl", Reject):
        reasons[row.reason] += 1
        if reasons[row.reason] <= 10 and len(shown) < limit:
            shown.append((row.pair_id, row.reason, row.detail))
    note = f"{sum(reasons.values())} rejected; up to 10 of each reason are shown, all are in rejects.jsonl."
    return html.Section("Rejects", note, table=[("pair", "reason", "detail"), *sorted(shown, key=lambda r: r[1])])
