"""The lower half of the page: trivial answers, attributes, every sequence, pictures, costs, how to repeat it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from pipeline.files.names import natural
from pipeline.images import decode_rgb, read_bytes
from pipeline.next_command import to_type
from pipeline.pages.html import Picture, Section, Strip, picture_uri
from trainer.study.judge import Arm, contrast
from trainer.study.judge.findings import CANDIDATES
from trainer.study.judge.rules import CONTROLS, ORACLE
from trainer.study.judge.scores import A1, TEACHER_ON_RGB, TRIVIAL
from trainer.study.plan import model_of
from trainer.study.plan.budget import HOUR_S
from trainer.study.report.material import Material, arm_of
from trainer.study.report.verdicts import figure, told

SHOWN = 4
"""Test windows that are drawn."""


def answers(material: Material) -> Section:
    """Teacher, students, oracle and what needs no network, by every figure of the two-frame test."""
    wanted = [A1, Arm(TEACHER_ON_RGB), *map(Arm, CANDIDATES), ORACLE, *map(Arm, TRIVIAL)]
    measures = sorted({each["measure"] for each in material.found["models"] if each["test"] == "two-frame"})
    by_arm: dict[Arm, dict[str, Any]] = defaultdict(dict)
    for measure in measures:
        for each in material.models(measure=measure):
            by_arm[arm_of(each)][measure] = each["mean"]
    rows: list[tuple[object, ...]] = [("answer", *measures)]
    rows += [(arm.name, *(figure(by_arm[arm].get(measure)) for measure in measures)) for arm in wanted if arm in by_arm]
    note = (
        "Means over a sequence's windows, then over sequences and seeds, with 95 % intervals. The trivial answers "
        "look at no picture: the middle of the window, and the reference's box left where it was in the picture."
    )
    return Section("Beside the trivial answers", note, table=rows)


def attributes(material: Material) -> list[Section]:
    """The judged rows by what holds for sequences, such as day and night; no section where nothing is known."""
    groups: dict[str, list[str]] = defaultdict(list)
    for sequence in material.scores.sequences:
        for name in material.attributes.get(sequence, ()):
            groups[name].append(sequence)
    judged = [Arm(name) for name in material.verdicts if Arm(name) in material.scores.values]
    if not groups or not judged or A1 not in material.scores.values:
        return []
    rows: list[tuple[object, ...]] = [("attribute", "sequences", *(f"{arm.name} − a1" for arm in judged))]
    for name, sequences in sorted(groups.items()):
        part = material.scores.of(sequences)
        found = [contrast(part, arm, A1) for arm in judged]
        rows.append((name, len(sequences), *(told(each.told() if each else None) for each in found)))
    note = "The same difference on parts of the sequences. Told, not judged: of many parts, one in 20 looks decided."
    return [Section("Day, night and other attributes", note, table=rows, sortable=True)]


def sequences(material: Material) -> Section:
    """Every sequence, by the models that the rules look at."""
    controls = [Arm("d3", control) for control in CONTROLS]
    wanted = [A1, Arm(TEACHER_ON_RGB), *map(Arm, CANDIDATES), *controls, *map(Arm, TRIVIAL)]
    shown = [arm for arm in wanted if arm in material.scores.values]
    means = [np.mean(list(material.scores.values[arm].values()), axis=0) for arm in shown]
    rows: list[tuple[object, ...]] = [("sequence", *(arm.name for arm in shown))]
    order = sorted(range(len(material.scores.sequences)), key=lambda i: natural(material.scores.sequences[i]))
    for i in order:
        values = ("–" if np.isnan(mean[i]) else f"{mean[i]:.3f}" for mean in means)
        rows.append((material.scores.sequences[i], *values))
    note = f"{material.found['deciding']}, mean over seeds. Click a column's head to sort by it."
    return Section("Every sequence", note, table=rows, sortable=True)


def others(material: Material) -> list[Section]:
    """One-pass evaluation, and the patches that are told and not judged."""
    return [*_one_pass(material), *_secondary(material)]


def _one_pass(material: Material) -> list[Section]:
    measures = sorted({each["measure"] for each in material.found["models"] if each["test"] == "ope"})
    if not measures:
        return []
    by_arm: dict[str, dict[str, Any]] = defaultdict(dict)
    for measure in measures:
        for each in material.models("ope", measure):
            by_arm[arm_of(each).name][measure] = each
    rows: list[tuple[object, ...]] = [("model", *(word for measure in measures for word in (measure, "less a1")))]
    for name, found in by_arm.items():
        cells = (found.get(measure, {"mean": None, "gain": None}) for measure in measures)
        rows.append((name, *(word for cell in cells for word in (figure(cell["mean"]), told(cell["gain"])))))
    note = "Tracking whole sequences from the first box. Secondary: told, not used to decide."
    return [Section("One-pass evaluation", note, table=rows, sortable=True)]


def _secondary(material: Material) -> list[Section]:
    methods = sorted({each["patches"] for each in material.found["models"]} - {material.patches})
    rows: list[tuple[object, ...]] = [("patches", "model", "figure", "less a1")]
    rows += [
        (patches, arm_of(each).name, figure(each["mean"]), told(each["gain"]))
        for patches in methods
        for each in material.models(patches=patches)
    ]
    note = f"The verdict is on {material.patches} patches, which was fixed beforehand. These are told, not judged."
    return [Section("Other patches", note, table=rows)] if len(rows) > 1 else []


def pictures(material: Material) -> list[Section]:
    """The same test windows before and after; no section where none were drawn."""
    names = sorted(material.pictures, key=lambda name: (not name.startswith(A1.row), name))
    most = max((len(paths) for paths in material.pictures.values()), default=0)
    strips = [
        Strip(
            f"test window {k + 1}",
            [
                Picture(picture_uri(decode_rgb(read_bytes(paths[k]), str(paths[k]))), _called(name))
                for name in names
                if k < len(paths := material.pictures[name])
            ],
        )
        for k in range(min(most, SHOWN))
    ]
    note = "Drawn by lot, the same for all: what the teacher finds, and what a student does."
    return [Section("Before and after", note, strips=strips)] if strips else []


def _called(name: str) -> str:
    try:
        model = model_of(name)
    except ValueError:
        return name
    seed = "" if model.seed is None else f", seed {model.seed}"
    return f"{Arm(model.row, model.control).name}{seed}"


def costs(material: Material) -> Section:
    """What the runs took, by model, beside what they were expected to take."""
    spent: dict[str, list[float]] = {}
    for run in material.plan.get("runs", []):
        name = Arm(run["row"], run["control"]).name if run["row"] else "for all"
        total = spent.setdefault(name, [0, 0, 0.0, 0.0])
        done = run["id"] in material.costs
        for i, value in enumerate((1, done, material.costs.get(run["id"], 0.0), run["cost_s"])):
            total[i] += value
    rows: list[tuple[object, ...]] = [("model", "runs", "ended", "CPU-seconds", "expected of all")]
    rows += [(name, int(n), int(ended), f"{cpu:.0f}", f"{cost:.0f}") for name, (n, ended, cpu, cost) in spent.items()]
    hours = sum(material.costs.values()) / HOUR_S
    rows.append(("all", sum(int(t[0]) for t in spent.values()), len(material.costs), f"{hours * HOUR_S:.0f}",
                 f"{sum(t[3] for t in spent.values()):.0f}"))  # fmt: skip
    saved = [f"{name.replace('_', ' ')}: {value}" for name, value in material.plan.items() if name.startswith("saved")]
    note = " ".join([f"{hours:.2g} CPU-hours so far; of a run that was begun again, its last start.", *saved])
    return Section("Costs", note, table=rows)


def repeat(material: Material) -> Section:
    """The command that makes the same study, and what it must be given to be the same."""
    words = ["cmd-train", "study", "--out", "STUDY", *material.plan.get("command", [])]
    rows: list[tuple[object, ...]] = [("study", "is"), ("command", to_type(*words))]
    rows += [(name, _short(value)) for name, value in sorted(material.study.items())]
    rows += [(f"version of {name}", value) for name, value in sorted(material.plan.get("versions", {}).items())]
    note = "The same input and versions give the same results.jsonl to the byte on one machine, whatever was killed."
    return Section("How to repeat it", note, table=rows)


def _short(value: object) -> str:
    return ", ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
