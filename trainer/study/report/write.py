"""Writing the reports of a study: ``report.html``, ``report.md`` and ``report.tex``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.files.writing import write_text
from pipeline.pages import html
from pipeline.pages.html import Section
from pipeline.pages.markdown import plain, table
from trainer.study.plan.budget import HOUR_S
from trainer.study.report import details, verdicts
from trainer.study.report.material import Material, load
from trainer.study.report.tex import write_tex

PAGE, TEXT, TABLE = "report.html", "report.md", "report.tex"
TITLE = "Does distillation help, and is it the pairs?"


def write_report(study: Path) -> Path:
    """Show a study as far as it went, and return the page.

    Args:
        study: its folder, with ``plan.json`` and ``verdict.json``; ``results.jsonl``, ``costs.jsonl``,
            ``attributes.json`` (sequence -> list of attributes) and ``pictures/MODEL/*.png`` where they are there.

    Raises:
        DataError: a file is missing or does not fit.
        UsageError: the page cannot be written.
    """
    material = load(study)
    sections = _sections(material)
    write_text(study / TEXT, _markdown(material, sections))
    write_text(study / TABLE, write_tex(material))
    return html.save(html.render(TITLE, _sentence(material), _facts(material), sections), study / PAGE)


def _sentence(material: Material) -> str:
    return str(material.verdicts["d3"]["sentence"])


def _facts(material: Material) -> list[tuple[str, object]]:
    study = material.study
    named = [(name, study[name]) for name in ("world", "tracker", "preset", "patches") if name in study]
    return [
        *named,
        ("sequences", material.found["sequences"]),
        ("seeds", study.get("seeds", "–")),
        ("CPU-hours", f"{sum(material.costs.values()) / HOUR_S:.2g}"),
    ]


def _sections(material: Material) -> list[Section]:
    return [
        *verdicts.verdicts(material),
        *verdicts.missing(material),
        verdicts.differences(material),
        verdicts.headroom(material),
        *verdicts.misalignment(material),
        *verdicts.rates(material),
        details.answers(material),
        *details.attributes(material),
        *details.others(material),
        *details.pictures(material),
        details.sequences(material),
        details.costs(material),
        details.repeat(material),
    ]


def _markdown(material: Material, sections: Sequence[Section]) -> str:
    """The page without its pictures."""
    text = [f"# {TITLE}", f"**{plain(_sentence(material))}**"]
    text.append(", ".join(f"{name} {plain(str(value))}" for name, value in _facts(material)))
    for section in sections:
        if section.table:
            text += [f"## {plain(section.title)}", *([plain(section.note)] if section.note else [])]
            text.append(table(section.table[0], section.table[1:]))
    return "\n\n".join(text) + "\n"
