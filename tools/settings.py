"""Writes docs/settings.md from the code: every flag of every command, and every key of --set."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, TypeAdapter

from pipeline import cli
from tools.code_page import write_or_compare
from trainer.base_trackers import BASE_TRACKERS
from trainer.commands import evaluate, track, train
from trainer.recipes.setting_groups import FeedSettings, HeldOutSettings, LossSettings, Rates, StepSettings
from trainer.recipes.settings import TrainWhereabouts
from trainer.trackers.parameters.defaults import defaults_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
HEAD = """# Settings

Every flag and every key of `--set`, made from the code by `make settings`. A flag may stand in a
[file](operations.md#settings-in-a-file)
without its dashes. A default that depends on others is told in words.
"""
COLUMNS = ("| {} | takes | unit | default | meaning |", "|---|---|---|---|---|")
UNITS = {
    "px": "min-size max-size patch-size window misalign image_sample_size min_side size",
    "px²": "max_image_sample_size min_image_sample_size",
    "frames": "frames tracking-frames max-frames max-gap min-length train_skipping train_sample_interval",
    "pairs": "preview pairs-per-shard batch-size batch_size samples-per-epoch samples_per_epoch",
    "patches": "patches-per-pair",
    "windows": "windows held_out_samples",
    "epochs": "epochs step",
    "steps": "head_steps net_opt_iter net_opt_update_iter net_opt_hn_iter net_opt_low_iter CG_iter init_CG_iter "
    "init_GN_iter post_init_CG_iter hard_negative_CG_iter box_refinement_iter",
    "minutes": "save_minutes",
    "CPU-hours": "budget",
    "GiB": "feature_gib",
    "raw values": "tir-range",
    "a step": "rates.tcl rates.filter_optimizer rates.bbe rates.backbone",
    "factor": "rate_scale weight mu nu gamma search_area_scale augmentation_expansion_factor patch_max_scale_change "
    "box_refinement_step_decay box_refinement_step_length score_upsample_factor filter_reg projection_reg penalty_k "
    "CG_forgetting_rate scale_factors",
    "score": "target_not_found_threshold hard_sample_threshold uncertain_threshold low_score_opt_threshold",
    "search windows": "random_shift_factor",
    "targets": "target_neighborhood_scale output_sigma_factor box_jitter_pos box_jitter_sz",
    "half score maps": "dispalcement_scale",
    "width / height": "maximal_aspect_ratio",
    "width + height": "context_amount",
    "share": "distractor_threshold hard_negative_threshold fraction center-fraction",
}
"""Unit -> the settings in it."""
UNIT = {name: unit for unit, names in UNITS.items() for name in names.split()}
SCRIPTS = {"cmd-prep": cli.main, "cmd-train": train.main, "cmd-track": track.main, "cmd-eval": evaluate.main}
ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
ROLE = re.compile(r":\w+:`~?([^`]*)`")


def cell(text: object) -> str:
    """A text as a cell of a table holds it, in one line."""
    plain = ROLE.sub(r"`\1`", " ".join(str(text).split())).replace("``", "`")
    return plain.replace("|", r"\|")


def row(name: str, takes: str, number: bool, default: str, meaning: str) -> str:
    """A row of a table.

    Raises:
        ValueError: a number without a unit: :data:`UNITS` lacks it.
    """
    key = name.strip("`").lstrip("-")
    unit = UNIT.get(key, "share" if re.search(r"\b0 to 1\b|from 0 below 1\b", takes) else "")
    if number and not unit:
        raise ValueError(f"{name} is a number without a unit: add it to UNITS in {__file__}")
    return f"| {cell(name)} | {cell(takes)} | {unit} | {cell(default)} | {cell(meaning)} |"


def bounds(low: object, high: object, low_open: bool, high_open: bool) -> str:
    """A range in words; empty where there is none."""
    if low is not None and high is not None:
        return f"from {low} below {high}" if high_open else f"{low} to {high}"
    if low is not None:
        return f"{'above' if low_open else 'from'} {low}"
    return f"{'below' if high_open else 'up to'} {high}" if high is not None else ""


def flag_takes(param: click.Parameter, ctx: click.Context) -> str:
    """What a parameter of a command line takes."""
    kind = param.type
    if isinstance(param, click.Option) and param.is_flag:
        return "nothing"
    if isinstance(kind, click.Choice):
        return ", ".join(f"`{choice}`" for choice in kind.choices)
    if isinstance(kind, click.IntRange | click.FloatRange):
        word = "whole number" if isinstance(kind, click.IntRange) else "number"
        return f"{word} {bounds(kind.min, kind.max, kind.min_open, kind.max_open)}".strip()
    if isinstance(kind, click.Path):
        return "folder" if not kind.file_okay else "file" if not kind.dir_okay else "file or folder"
    words = {"integer": "whole number", "text": param.metavar or "text", "fraction": "share like 1/6, 0 to 1"}
    several = " each" if param.nargs == -1 else ""
    return words.get(kind.name, kind.get_metavar(param, ctx) or param.metavar or kind.name) + several


def flag_default(param: click.Option) -> str:
    """The default of an option in its own words."""
    if isinstance(param.show_default, str):
        return param.show_default
    if param.required:
        return "needed"
    told = param.default if isinstance(param.default, str | int | float) and not isinstance(param.default, bool) else ""
    return f"`{told}`" if str(told) else ""


def flags(script: str, name: str, command: click.Command) -> Iterator[str]:
    """The section of one command."""
    title = f"{script} {name}".strip()
    yield from ("", f"### {title}", "", (command.help or "").split("\n")[0], "")
    yield from (COLUMNS[0].format("flag"), COLUMNS[1])
    ctx = click.Context(command)
    for param in command.params:
        if isinstance(param, click.Option) and not param.hidden:
            repeated = " Repeated." if param.multiple and "repeated" not in (param.help or "") else ""
            number = isinstance(param.type, click.FloatRange)
            meaning = (param.help or "") + repeated
            yield row(f"`{max(param.opts, key=len)}`", flag_takes(param, ctx), number, flag_default(param), meaning)
        elif isinstance(param, click.Argument):
            yield row(param.make_metavar(ctx), flag_takes(param, ctx), False, "", "An argument, typed without a flag.")


def takes(schema: dict[str, Any]) -> str:
    """What a setting takes, of its JSON schema."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(takes(each) for each in schema["anyOf"]))
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    low, high = (schema.get(key, schema.get(f"exclusive{key.title()}")) for key in ("minimum", "maximum"))
    limits = bounds(low, high, "exclusiveMinimum" in schema, "exclusiveMaximum" in schema)
    words = {"integer": "whole number", "number": "number", "boolean": "`true`, `false`", "array": "list"}
    words |= {"null": "nothing", "string": "text"}
    return f"{words.get(schema.get('type', ''), 'views by name')} {limits}".strip()


def shown(value: object) -> str:
    """A default as it would be typed."""
    if value is None or value == ():
        return "nothing"
    if is_dataclass(value):
        return "its authors'"
    told = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{told}`"


def meanings(model: type) -> dict[str, str]:
    """What the docstrings of a class and of those that it derives from say of each attribute."""
    told: dict[str, str] = {}
    for each in reversed(model.__mro__):
        told |= dict(ATTRIBUTE.findall(inspect.cleandoc(each.__doc__ or "").partition("Attributes:")[2]))
    return told


def keys(model: type, defaults: Iterable[tuple[str, str]], prefix: str = "") -> Iterator[str]:
    """A row for each key that a model of settings has."""
    schema = TypeAdapter(model).json_schema()["properties"]
    told = meanings(model)
    yield from (COLUMNS[0].format("key"), COLUMNS[1])
    for name, default in defaults:
        one = takes(schema[name])
        number = "number" in one.replace("whole number", "")
        yield row(f"`{prefix}{name}`", one, number, default, told.get(name, (model.__doc__ or "").split("\n")[0]))


def of_training() -> Iterator[str]:
    """The keys of ``cmd-train --set``."""
    for model in (StepSettings, LossSettings, FeedSettings, HeldOutSettings, TrainWhereabouts):
        yield from ("", f"### {(model.__doc__ or '').splitlines()[0].rstrip('.')}", "")
        inner = [
            (name, "needed" if field.is_required() else shown(field.get_default()))
            for name, field in model.model_fields.items()
            if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel))
        ]
        yield from keys(model, inner)
    yield from ("", "### Learning rates", "")
    yield from keys(Rates, [(name, shown(field.get_default())) for name, field in Rates.model_fields.items()], "rates.")


def of_trackers() -> Iterator[str]:
    """The keys of ``cmd-track --set``."""
    every = {name: defaults_of(name) for name in BASE_TRACKERS}
    for kind in dict.fromkeys(map(type, every.values())):
        trackers = [name for name, params in every.items() if type(params) is kind]
        yield from ("", f"### {', '.join(trackers)}", "")
        defaults = []
        for each in fields(every[trackers[0]]):
            values = {name: getattr(every[name], each.name) for name in trackers}
            first = values[trackers[0]]
            others = "".join(f", {name} {shown(value)}" for name, value in values.items() if value != first)
            defaults.append((each.name, shown(first) + others))
        yield from keys(kind, defaults)


def drawn() -> str:
    """The whole page."""
    lines = [HEAD, "## Flags"]
    for script, command in SCRIPTS.items():
        commands = command.commands if isinstance(command, click.Group) else {"": command}
        for name, each in commands.items():
            lines += flags(script, name, each)
    lines += ["", "## Keys of `cmd-train --set`", "", "What has a flag may be given by either.", *of_training()]
    lines += ["", "## Keys of `cmd-track --set`", "", "By the names of the trackers' authors.", *of_trackers()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_compare("settings", __doc__, PAGE, lambda _: drawn(), "settings have changed"))
