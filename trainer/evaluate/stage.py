"""``cmd-eval``: evaluate, then write metrics.json, the tables, report.html and every plot."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from pipeline.config import differing, refuse_idle
from pipeline.errors import DataError
from pipeline.files.writing import write_bytes, write_text
from pipeline.pages.html import png, svg
from pipeline.runtime.asked import MADE_BY, made_by
from pipeline.runtime.output import made_in
from trainer.evaluate.moments import Moment, by_sequence, differing_moments
from trainer.evaluate.report import metrics_json, page, plots, strips, tables, tex
from trainer.evaluate.report_folder import METRICS, REPORT, TABLES, TEX, files_of, held_report
from trainer.evaluate.score_trackers import Evaluation, evaluate
from trainer.evaluate.settings import EvaluateConfig
from trainer.sequences.layout import find_pictures
from trainer.sequences.rows import Boxes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_STRIPS = 4
_PNG_DPI = 200
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluationReport:
    """What an evaluation left.

    Attributes:
        evaluation: everything that was measured.
        report: the page.
        metrics: the numbers, JSON.
        tables: the tables, Markdown.
        tex: the tables, LaTeX.
        plots: each plot as SVG; a PNG of the same name lies beside it.
        files: all of these, and the settings.
    """

    evaluation: Evaluation
    report: Path
    metrics: Path
    tables: Path
    tex: Path
    plots: tuple[Path, ...]
    files: tuple[Path, ...]

    def record(self) -> dict[str, object]:
        """What ``--json`` tells: the files, and of all that was measured the scores and what lies between them."""
        evaluation = self.evaluation
        metrics = evaluation.benchmark.metrics
        return {
            "report": self.report,
            "metrics": self.metrics,
            "tables": self.tables,
            "tex": self.tex,
            "plots": self.plots,
            "files": self.files,
            "scores": {t.name: {metric: t.score(metric) for metric in metrics} for t in evaluation.ranked()},
            "differences": evaluation.differences,
            "warnings": evaluation.warnings,
        }


def run(config: EvaluateConfig) -> EvaluationReport:
    """Evaluate and write the report's folder.

    Raises:
        UsageError: settings that do not go together, or a folder with what the report may not replace.
        DataError: a missing or unreadable file, or one with too few rows; named.
        CmdTirError: another run holds the folder.
    """
    refuse_idle(differing(config), config.without_effect())
    frames, out = config.frames, config.out
    if frames and not frames.is_dir():
        raise DataError(f"{frames}: no such folder: correct --frames")
    evaluation = _evaluate(config)
    for line in evaluation.warnings:
        _LOG.warning("warning: %s", line)
    shown = evaluation.shown()
    style = plots.styles(shown)
    drawn = {metric: plots.draw_curves(evaluation, metric, style) for metric in evaluation.benchmark.metrics}
    if any(where.sum() > 1 for where in evaluation.benchmark.attributes.values()):
        drawn["attributes"] = plots.draw_attributes(evaluation, evaluation.shown(plots.IN_BARS), style)
    moments, compared = _compare(evaluation)
    if frames:
        drawn |= _draw_strips(evaluation, style, moments, compared, frames)
    names = files_of(list(drawn))
    content = metrics_json.collect(evaluation, _described(config), names)
    content[MADE_BY] = made_by(_inputs(evaluation), np)
    with held_report(out, content, config.on_existing):
        write_text(out / TABLES, tables.write_tables(evaluation))
        write_text(out / TEX, tex.write_tex(evaluation))
        write_text(out / REPORT, page.build_page(evaluation, shown, _save(drawn, out), moments, compared))
    plotted = tuple(out / f"{name}.svg" for name in drawn)
    there = made_in(out, names)
    return EvaluationReport(evaluation, out / REPORT, out / METRICS, out / TABLES, out / TEX, plotted, there)


def _evaluate(config: EvaluateConfig) -> Evaluation:
    return evaluate(
        config.dataset,
        config.annotations,
        config.results,
        config.curves,
        config.attributes,
        config.sequences,
        config.seed,
    )


def _described(config: EvaluateConfig) -> dict[str, object]:
    """What ``metrics.json`` says of the settings."""
    return {
        "dataset": config.dataset,
        "seed": config.seed,
        "results": {name: str(folder) for name, folder in config.results},
        "curves": str(config.curves) if config.curves else None,
    }


def _inputs(evaluation: Evaluation) -> dict[str, object]:
    """Hashes of the boxes that were read, of the truth and of each tracker by name."""
    results = {tracker.name: _hash(tracker.boxes) for tracker in evaluation.trackers if tracker.own}
    return {"annotations": _hash(evaluation.benchmark.truth), "results": results}


def _hash(boxes: Mapping[str, Boxes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(boxes):
        digest.update(os.fsencode(f"{name}\n") + np.ascontiguousarray(boxes[name], np.float64).tobytes())
    return digest.hexdigest()


def _compare(evaluation: Evaluation) -> tuple[list[Moment], tuple[str, ...]]:
    """Moments at which the first two of one's own trackers differ, or the only one errs, and their names."""
    own = [tracker for tracker in evaluation.trackers if tracker.own][:2]
    if not own:
        return [], ()
    moments = differing_moments(evaluation, own[0], own[1] if len(own) > 1 else None)
    return moments, tuple(tracker.name for tracker in own)


def _draw_strips(
    evaluation: Evaluation,
    style: Mapping[str, plots.Style],
    moments: Sequence[Moment],
    compared: Sequence[str],
    root: Path,
) -> dict[str, Figure]:
    """Strips of the sequences that differ most, by name, in the order of the moments."""
    own = [tracker for tracker in evaluation.shown(plots.IN_BARS) if tracker.own]
    drawn: dict[str, Figure] = {}
    for sequence, here in by_sequence(moments).items():
        pictures = find_pictures(root, evaluation.benchmark.manifest.frames, sequence)
        count, expected = len(pictures), len(evaluation.benchmark.truth[sequence])
        if count < expected:
            _LOG.warning("warning: %s: %d pictures of %s, %d expected: no strip", root, count, sequence, expected)
        elif len(drawn) < MOST_STRIPS:
            name = strips.strip_name(sequence)
            while name in drawn:
                name += "_"
            drawn[name] = strips.draw_strip(evaluation, own, style, here, compared, pictures)
    return drawn


def _save(drawn: Mapping[str, Figure], out: Path) -> dict[str, Markup]:
    """Write each figure as SVG and PNG; return the SVGs by name."""
    pictures: dict[str, Markup] = {}
    for name, figure in drawn.items():
        pictures[name] = svg(figure)
        write_text(out / f"{name}.svg", pictures[name])
        write_bytes(out / f"{name}.png", png(figure, _PNG_DPI))
    return pictures
