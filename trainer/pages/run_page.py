"""One HTML page a run: what it was, what it did to held-out losses and measures, and to every trained tensor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.files.json_text import read_json
from pipeline.pages import html
from trainer.checkpoints.run_folder import METRICS, RUN, VALIDATION
from trainer.data import giveaways
from trainer.pages.loss_curves import curves

NAMES = {
    "loss": "L",
    "tcl": "L_TCL",
    "bbe": "L_BBE",
    "peak_error": "error of the response's peak, px",
    "iou_error": "error of the predicted IoU",
    "refined_iou": "IoU of refined boxes",
}
TENSORS = 100


def draw_run(folder: Path) -> str:
    """The page of a finished run, HTML."""
    run: dict[str, Any] = read_json(folder / RUN)
    measured: dict[str, Any] = read_json(folder / VALIDATION)
    recipe, settings = run["recipe"], run["settings"]
    facts = [
        ("recipe", recipe["name"]),
        ("tracker", settings["tracker"]),
        ("training pairs", f"{run['pairs']['training']:,}"),
        ("held-out pairs", f"{run['pairs']['held_out']:,}"),
        ("steps of", f"{run['batch_size']} pairs"),
        ("rates", ", ".join(f"{module} {rate:g}" for module, rate in run["rates"].items())),
    ]
    fed = f"Fed: reference {recipe['reference']}, test {recipe['test']}, {', '.join(run['methods'])} patches."
    facts += [(f"{branch} targets", _given(found)) for branch, found in run.get("giveaways", {}).items()]
    lines = [html.Section("Losses", fed, plots=[html.svg(curves(folder / METRICS, ""))])]
    if measured["before"].get("quality"):
        lines.append(_before_and_after(measured))
    lines.append(_tensors(measured["relative_change"]))
    return html.render(f"{recipe['name']} on {settings['tracker']}", str(folder.name), facts, lines)


def _given(found: dict[str, float]) -> str:
    return giveaways.tell(giveaways.Giveaway(**found))


def _before_and_after(measured: dict[str, Any]) -> html.Section:
    before, after = measured["before"], measured["after"]
    rows: list[tuple[object, ...]] = [("on held-out sequences", "fed", "before", "after", "change")]
    for name, value in before["losses"].items():
        rows.append(_row(NAMES[name], "as trained", value, after["losses"][name]))
    for way, measures in before["quality"].items():
        for name, value in measures.items():
            rows.append(_row(NAMES[name], way, value, after["quality"][way][name]))
    cosine = (measured[when]["modulation_cosine"] for when in ("before", "after"))
    rows.append(_row("cosine of TIR's and RGB's modulation", "both", *cosine))
    note = "The same windows of the same sequences, none of which was trained on. A student is used on TIR alone."
    return html.Section("Before and after", note, table=rows)


def _row(name: str, way: str, before: float, after: float) -> tuple[object, ...]:
    return name, way, f"{before:.4g}", f"{after:.4g}", f"{after - before:+.3g}"


def _tensors(moved: dict[str, float | None]) -> html.Section:
    known = sorted(((name, value) for name, value in moved.items() if value is not None), key=lambda row: -row[1])
    rows: list[tuple[object, ...]] = [("trained tensor", "|change| / |start|")]
    rows += [(name, f"{value:.2e}") for name, value in known[:TENSORS]]
    rows += [(name, "started at zero") for name, value in moved.items() if value is None]
    note = f"{len(moved)} tensors were trained. Everything else is bit-identical to the start."
    return html.Section("What has moved", note, table=rows, sortable=True)
