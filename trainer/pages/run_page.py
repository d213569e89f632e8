"""One HTML page a run: what it was, what it did to held-out losses and measures, and to every trained tensor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.files.json_text import read_json
from pipeline.pages import html
from trainer.checkpoints.run_folder import METRICS, RUN, VALIDATION
from trainer.data import giveaways
from trainer.measure.summary import START, STUDENT
from trainer.pages.held_out_section import CHANGE, held_out_section, told
from trainer.pages.loss_curves import LOSSES, curves, losses_of
from trainer.pages.next_steps import next_steps
from trainer.resampling import FEWEST

TENSORS = 100


def draw_run(folder: Path, windows: Sequence[html.Section] = ()) -> str:
    """The page of a finished run, HTML.

    Args:
        folder: of the run.
        windows: a section of held-out windows before and after, where any were tested.
    """
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
    fed = _fed(recipe, settings, run["methods"])
    given = [f"{branch} {_given(found)}" for branch, found in run.get("giveaways", {}).items()]
    fed += f" Of targets it is known without a look at the windows: {'; '.join(given)}." if given else ""
    lines = [next_steps(folder, settings, measured)]
    lines += windows
    lines += [html.Section("Losses", fed, plots=[html.svg(curves(folder / METRICS, ""))])]
    if measured["before"].get("losses"):
        lines.append(_losses(measured))
    if "figures" in measured:
        lines.append(held_out_section(measured))
    lines.append(_tensors(measured["relative_change"]))
    return html.render(f"{recipe['name']} on {settings['tracker']}", str(folder.name), facts, lines)


def _fed(recipe: dict[str, Any], settings: dict[str, Any], methods: Sequence[str]) -> str:
    """What the branches were fed, under the control that the run was, where it was any."""
    feed = settings.get("feed", "pairs")
    reference, test = (recipe["reference"], recipe["test"]) if feed == "pairs" else [feed.partition("-")[0]] * 2
    told = f"Fed: reference {reference}, test {test}, {', '.join(methods)} patches."
    told += " TIR is that of another sequence." if settings.get("pairs") == "shuffled" else ""
    return told + (f" TIR is shifted by {settings['misalign']:g} px." if settings.get("misalign") else "")


def _given(found: dict[str, float]) -> str:
    return giveaways.tell(giveaways.Giveaway(**found))


def _losses(measured: dict[str, Any]) -> html.Section:
    rows: list[tuple[object, ...]] = [("held-out loss, as trained ↓", START, STUDENT, "change")]
    note = "The same windows before and after, none of which was trained on; "
    figures = measured["after"].get("loss_figures")
    for name in losses_of(measured["before"]["losses"]):
        if figures:
            answers = (figures[name][answer] for answer in (START, STUDENT, CHANGE))
            rows.append((LOSSES[name], *(told(each, signed=place == 2) for place, each in enumerate(answers))))
        else:
            before, after = (measured[when]["losses"][name] for when in ("before", "after"))
            rows.append((LOSSES[name], f"{before:.4g}", f"{after:.4g}", f"{after - before:+.3g}"))
    if figures:
        note += "means over sequences, each with its 95 % interval (bootstrap, paired in the change), where the curves "
        note += "have means over windows."
    else:
        note += f"without intervals: those need {FEWEST} held-out sequences at least."
    return html.Section("Held-out losses", note, table=rows)


def _tensors(moved: dict[str, float | None]) -> html.Section:
    known = sorted(((name, value) for name, value in moved.items() if value is not None), key=lambda row: -row[1])
    rows: list[tuple[object, ...]] = [("trained tensor", "|change| / |start|")]
    rows += [(name, f"{value:.2e}") for name, value in known[:TENSORS]]
    rows += [(name, "started at zero") for name, value in moved.items() if value is None]
    note = f"{len(moved)} tensors were trained. Everything else is bit-identical to the start."
    return html.Section("What has moved", note, table=rows, sortable=True)
