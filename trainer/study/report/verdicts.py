"""The upper half of the page: verdicts, what is missing, the forest plot, the headroom, the gains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import some
from pipeline.pages.html import Section
from trainer.study.judge import Arm
from trainer.study.judge.rules import HEADROOM, MARGIN, called, rules_of
from trainer.study.judge.scores import A1
from trainer.study.judge.words import bound, interval, signed
from trainer.study.presets import preset_of
from trainer.study.report.material import ANSWERS, Material, arm_of, paper_gain
from trainer.study.report.plots import Mark, forest, gains
from trainer.study.rows import steps_of

ORDER = {"d3": "the verdict", "t3": "a second verdict", "k3": "a third verdict"}
Figures = Mapping[str, Any] | None


def told(found: Figures) -> str:
    """A difference with its interval, or a dash."""
    return "–" if found is None else interval(found["value"], found["low"], found["high"])


def verdicts(material: Material) -> list[Section]:
    """Each verdict in a section of its own: its sentence, its differences, and what became of every rule."""
    return [_verdict(name, verdict) for name, verdict in material.verdicts.items()]


def _verdict(name: str, verdict: Mapping[str, Any]) -> Section:
    note = (
        "The first rule that fits is the verdict; rules, margins and figure were fixed before anything was measured. "
        "Intervals: 95 %, two-sided, paired, clips and seeds drawn crosswise; where Student's t on the same two "
        "sources of variance reaches further than the drawn percentiles, its end is taken, because three seeds make "
        f"percentiles too narrow. By the percentiles alone the verdict would be: {verdict['by_percentiles']}."
    )
    rows: list[tuple[object, ...]] = [("rule", "verdict", "asks", "here")]
    rows += [tuple(each) for each in verdict["asks"]]
    rows.append((7, "undecided", "what no rule fits", "the verdict" if verdict["rule"] == 7 else "not reached"))
    pairs = dict.fromkeys(called(pair) for rule in rules_of(Arm(name)) for pair in rule.pairs)
    marks = [Mark(pair, verdict["contrasts"].get(pair)) for pair in pairs]
    limits = (-MARGIN, MARGIN, HEADROOM)
    dotted = f"dotted: {', '.join(map(bound, limits))}"
    plots = [forest(marks, f"difference of IoU, 95 % interval ({dotted})", limits)]
    return Section(f"{name}, {ORDER.get(name, 'told')}: {verdict['sentence']}", note, plots, rows)


def missing(material: Material) -> list[Section]:
    """What the study left out, or has not come to; no section where that is nothing."""
    dropped = list(map(str, material.plan.get("dropped", [])))
    waiting = [run for run in material.plan.get("runs", []) if run["id"] not in material.costs]
    rows: list[tuple[object, ...]] = [("left out", "what")]
    if dropped:
        rows.append(("by the budget", ", ".join(dropped)))
    if waiting:
        names = [Arm(run["row"], run["control"]).name for run in waiting if run["row"]]
        arms = list(dict.fromkeys(names))
        rows.append(("not run yet", f"{len(waiting)} of {len(material.plan['runs'])} runs: {some(arms, 12)}"))
    note = "What is missing here is in no figure below; a rule that lacks a run is passed over."
    return [Section("This study is not whole", note, table=rows)] if len(rows) > 1 else []


def differences(material: Material) -> Section:
    """Every model against a1."""
    rows: list[tuple[object, ...]] = [
        ("model", "seeds", "figure", "less a1, 95 % interval", "percentiles alone", "the paper's, success")
    ]
    for each in material.models():
        arm, gain = arm_of(each), each["gain"]
        paper = paper_gain(arm)
        seeds = each["mean"]["seeds"] or "–"
        plain = "–" if gain is None or gain["percentiles"] is None else "[{}, {}]".format(
            *map(signed, gain["percentiles"])
        )  # fmt: skip
        rows.append((arm.name, seeds, figure(each["mean"]), told(gain), plain, "–" if paper is None else signed(paper)))
    models = [arm_of(each) for each in material.models()]
    marks = [
        Mark(arm.name, each["gain"], paper_gain(arm), bool(arm.control))
        for arm, each in zip(models, material.models())
        if arm != A1 and arm.row not in ANSWERS
    ]
    note = (
        f"{material.found['deciding']} on {material.found['sequences']} sequences of {material.found['clips']} clips, "
        "thermal pictures on both branches: a model less its teacher a1 on the same windows. Rows in orange, controls "
        "in blue. The diamond is the paper's difference in success on LSOTB-TIR, another figure on other sequences: it "
        "shows the size that the paper claims, and can be compared in sign and order of magnitude alone. The order "
        "among the D rows is not claimed."
    )
    plots = [forest(marks, "difference to a1 in IoU, 95 % interval", (-MARGIN, MARGIN))] if marks else []
    return Section("Difference to the teacher", note, plots, rows, sortable=True)


def figure(found: Mapping[str, Any] | None) -> str:
    """A mean with its interval, unsigned, or a dash."""
    if found is None:
        return "–"
    value, low, high = (found[key] for key in ("value", "low", "high"))
    return f"{value:#.3g}" if low is None else f"{value:#.3g} [{low:#.3g}, {high:#.3g}]"


def headroom(material: Material) -> Section:
    """What share of what the oracle won was won without truth."""
    rows: list[tuple[object, ...]] = [("model", "share of the oracle's gain, 95 % interval")]
    for name, found in ((name, material.found["share_of_headroom"][name]) for name in material.verdicts):
        if found is None:
            rows.append((name, "unknown: no oracle, or it wins nothing"))
        elif found["low"] is None:
            rows.append((name, f"{found['value']:.0%} (no interval: the oracle's gain is not clear of 0)"))
        else:
            rows.append((name, f"{found['value']:.0%} [{found['low']:.0%}, {found['high']:.0%}]"))
    note = (
        "The oracle is trained on true boxes of thermal pictures at two instants, as the test is. Its gain over a1 is "
        "what there is to win. The interval is of drawn percentiles; told, not judged."
    )
    return Section("Share of the headroom that was won", note, table=rows)


def misalignment(material: Material) -> list[Section]:
    """What registration is worth; no section where nothing was shifted."""
    found = material.found["misalignment"]
    points = [(each["shift"], each["gain"]) for each in found["gains"] if each["gain"] is not None]
    if len(points) < 2:
        return []
    slope = found["slope_per_pixel"]
    per_ten = {key: None if slope[key] is None else 10 * slope[key] for key in ("value", "low", "high")}
    rows: list[tuple[object, ...]] = [("thermal pictures shifted by, px", "b3 + c1 less a1")]
    rows += [(f"{shift:g}", told(gain)) for shift, gain in points]
    rows.append(("slope for each 10 px", told(per_ten)))
    if material.found["features"] is not None:
        rows.append(("0; less the model of matched features", told(material.found["features"])))
    note = "A fixed shift of all thermal training pictures, its direction by sequence. Told, not judged."
    plot = gains({"b3 + c1": points}, "shift, px", "gain over a1, IoU")
    return [Section("What registration is worth", note, [plot], rows)]


def rates(material: Material) -> list[Section]:
    """What each ``rate_scale`` gave where it was chosen; no section where none was tried."""
    tried = material.found["rates"]
    if not tried:
        return []
    key = "gain" if all(each["gain"] is not None for each in tried) else "mean"
    lines: dict[str, list[tuple[float, Mapping[str, Any]]]] = {}
    for each in tried:
        lines.setdefault(arm_of(each).name, []).append((each["rate_scale"], each[key]))
    taken: dict[str, set[float | None]] = {}
    for row in material.rows:
        if row.set == "test" and row.seed is not None:
            taken.setdefault(Arm(row.row, row.control).name, set()).add(row.rate_scale)
    up = "gain over a1, IoU" if key == "gain" else "IoU"
    rows: list[tuple[object, ...]] = [("model", "rate_scale", up, "seeds", "chosen")]
    rows += [
        (
            name,
            f"{rate:g}",
            told(found) if key == "gain" else figure(found),
            found["seeds"],
            _chosen(rate, [each for each, _ in points]) if rate in taken.get(name, ()) else "",
        )
        for name, points in lines.items()
        for rate, found in points
    ]
    seeds = sorted({row.seed for row in material.rows if row.set == "select" and row.seed is not None})
    note = (
        "All rates of a recipe are multiplied by rate_scale. It was chosen for each of these models by the deciding "
        "figure on scenes on which nothing is trained or tested, and all had the same tries, with seed "
        f"{some(list(map(str, seeds)))}. {_shorter(material)}This uses truth, which is not there where pairs alone are."
    )
    return [Section("Gain against rate_scale", note, [gains(lines, "rate_scale", up, log=True)], rows)]


def _chosen(rate: float, tried: list[float]) -> str:
    """That a rate was chosen, and whether one beyond it might have been better."""
    ends = {min(tried): "the lowest tried", max(tried): "the highest tried"} if len(tried) > 1 else {}
    return ", ".join(["chosen", *([ends[rate]] if rate in ends else [])])


def _shorter(material: Material) -> str:
    """How a try differs from what it stands for."""
    preset = preset_of(material.study["preset"], material.study["tracker"])
    tries, whole = steps_of(preset.trial), steps_of(preset.row)
    if tries == whole:
        return ""
    return (
        f"A try is {tries:,} steps of each row in place of {whole:,}, at rates that are higher by as much, since "
        "Adam's steps are as long as the rate. "
    )
