"""cmd-train: parse, call, map errors to exit codes; nothing else. torch is imported when a command needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.runtime.asked import keep_settings
from pipeline.runtime.asked.help_page import HelpPage
from pipeline.runtime.asked.subcommand import AddedOption
from pipeline.runtime.command import Command, print_result, print_table, telling
from pipeline.runtime.option_types import NAME_OR_FILE
from pipeline.runtime.options import on_existing, typed
from trainer.base_trackers import export_formats
from trainer.commands.options import TRACKER_NAMES
from trainer.commands.study import study
from trainer.commands.two_frame import two_frame

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from pipeline.config import OnExisting

RECIPE_HEAD = (
    "recipe",
    "trains",
    "reference",
    "test",
    "patches",
    "starts from",
    "rate BBE",
    "rate TCL",
    "S",
    "P",
    "NP",
    "",
)

BEYOND = "beyond the paper"
EXAMPLE = "cmd-train --shards shards/center --recipe c1 --tracker dimp50 --init dimp50.pth --out runs/c1"


class Train(Command):
    """``cmd-train`` trains without a subcommand: ``cmd-train --shards PATH`` is what people type."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Send a line that names no subcommand to ``train``."""
        plain = [word for word in args if word != "--debug"]
        if plain and plain[0] not in {*self.commands, "-h", "--help", "--version", "--list-recipes"}:
            args = ["--debug"] * ("--debug" in args) + ["train", *plain]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the options of ``train`` too, as its name need not be typed."""
        training = self.commands["train"]
        own = super().shell_complete(ctx, incomplete)
        more = training.shell_complete(click.Context(training, parent=ctx), incomplete)
        return list({item.value: item for item in (*more, *own)}.values())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write also what ``train`` takes, as its name need not be typed."""
        training = self.commands["train"]
        if isinstance(training, HelpPage):
            training.format_groups(click.Context(training, parent=ctx), formatter)
        super().format_options(ctx, formatter)


def _list_recipes(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from trainer.recipes.recipe import load_recipe, recipe_names

    rows: list[tuple[object, ...]] = [RECIPE_HEAD]
    for recipe in map(load_recipe, recipe_names()):
        parts = [f"{module} {branch}" for module, branch in recipe.trains.items()]
        trains = ", ".join([*parts, *(f"{name}={value}" for name, value in recipe.settings.items())]) or "-"
        own = {} if recipe.rates == "tracker" else recipe.rates
        rates = ["own" if recipe.rates == "tracker" else own.get(module, "-") for module in ("bbe", "tcl")]
        paper = [recipe.paper.get(score, "-") for score in ("S", "P", "NP")]
        start = "+".join(recipe.starts_from) or "-"
        fed = recipe.reference, recipe.test, recipe.patches or "-"
        rows.append((recipe.name, trains, *fed, start, *rates, *paper, BEYOND * recipe.beyond))
    print_table(rows)
    click.echo("own: what the base tracker was trained with. S, P, NP: the paper's on LSOTB-TIR; of atom, the gain.")
    ctx.exit()


@click.group(
    "cmd-train",
    cls=Train,
    example=EXAMPLE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="cmd-tir", prog_name="cmd-train")
@click.option(
    "--list-recipes",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_recipes,
    help="Print the rows of the paper's Table 1 with their settings.",
)
def main() -> None:
    """Teach the TIR branch of a tracker from its RGB branch, on shards of unlabelled pairs.

    Without a command it trains. `--recipe all` runs every row of the paper's Table 1 in order, each from the results
    of its parents.
    """


SHARDS = click.option(
    "--shards",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    help="Folder that `cmd-prep mine` wrote; repeated, a recipe takes those of the patches it wants.",
)

PATCHES = click.option(
    "--patches",
    metavar="KIND",
    show_default="the recipe's",
    help="Take shards of these patches: center, random, detection, any with -tubes behind it, or all tubes.",
)

WINDOW = click.option(
    "--window",
    type=int,
    metavar="PX",
    show_default="the tracker's own, 288 or 352; nanotrack_v2 has no other",
    help="Side of the search window, a multiple of 16.",
)

ON_EXISTING = on_existing("a run that the folder holds already")


@main.command(example=EXAMPLE, rest="Options of training")
@SHARDS
@PATCHES
@click.option(
    "--recipe",
    default="c1",
    show_default=True,
    type=NAME_OR_FILE,
    help="Row of Table 1 (--list-recipes), your own FILE.yaml, or all.",
)
@click.option("--tracker", type=TRACKER_NAMES, default="dimp50", show_default=True, help="Base tracker.")
@click.option(
    "--init",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE|RUN",
    help="Weights to start from: released ones, a torchvision ResNet, or a run; repeated, one a parent row.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The run's folder.")
@click.option("--epochs", type=click.IntRange(1), show_default="50")
@click.option("--samples-per-epoch", type=click.IntRange(1), show_default="26000, in pretrain the tracker's own")
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    show_default="5, of nanotrack_v2 32, in pretrain the tracker's own",
    help="Pairs a step and process.",
)
@WINDOW
@click.option("--device", show_default="a GPU where there is one", help="torch device.")
@click.option("--loader-workers", type=click.IntRange(0), show_default="2", help="Processes that read shards.")
@click.option("--amp", is_flag=True, default=None, help="Run the network in bfloat16 where that is safe.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bf16"]),
    show_default="float32",
    help="Of a frozen backbone; heads and losses stay in float32.",
)
@click.option("--seed", type=int, show_default="0")
@click.option(
    "--feature-cache",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the frozen backbone's features here, shared between rows and runs.",
)
@ON_EXISTING
@click.option("--resume", is_flag=True, help="The same as --on-existing resume.")
@click.option("--force", is_flag=True, help="Train on other patches than the recipe wants; run.json tells it.")
@click.option("--dry-run", is_flag=True, help="Check all, take a few steps in memory, print the plan, write nothing.")
@click.option(
    "--set",
    "overrides",
    cls=AddedOption,
    multiple=True,
    metavar="KEY=VALUE",
    help="Any setting of run.json, e.g. rates.tcl=1e-4, losses=paper, bbe_loss=package.module:function.",
)
@telling
def train(overrides: tuple[str, ...], resume: bool, **options: Any) -> None:
    """Train one recipe on shards. It writes RUN/model.safetensors and what is needed to go on when interrupted."""
    from trainer.recipes.effects import refuse_without_effect
    from trainer.recipes.settings import configure

    if resume and options["on_existing"] != "resume":
        raise click.UsageError(f"--resume and --on-existing {options['on_existing']} contradict one another: give one")
    given = {name: value for name, value in options.items() if value is not None}
    config = configure(given, overrides)
    refuse_without_effect(config, typed() | {override.partition("=")[0] for override in overrides})
    from trainer.train import run
    from trainer.train.distributed import leads

    trained = run(config)
    if leads():
        print_result(trained, trained.rows())


@main.command(example="cmd-train export runs/d3 --out student.pth.tar")
@click.argument("weights", metavar="RUN|FILE", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(export_formats()),
    show_default="pytracking, of nanotrack_v2 opencv",
    help="pytorch: as NanoTrack's authors save it; opencv: backbone.onnx and head.onnx.",
)
@click.option("--tracker", type=TRACKER_NAMES, help="Base tracker of a file that is no run.")
@click.option("--own-backbone", is_flag=True, help="opencv: of a backbone that is not the released one, too.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE|FOLDER",
    help="FILE.pth.tar (pytracking), FILE.pth (pytorch) or FOLDER (opencv).",
)
def export(weights: Path, kind: str | None, tracker: str | None, own_backbone: bool, out: Path) -> None:
    """Write a student in the format of another program."""
    from trainer.checkpoints.exports import write_export
    from trainer.checkpoints.model_file import tracker_of, weights_file, window_of
    from trainer.trackers.parameters.defaults import window_params

    file = weights_file(weights, "export")
    name = tracker_of([file], tracker)
    window = window_of([file])
    kind, files = write_export(file, name, kind, out, own_backbone=own_backbone)
    keep_settings(out)
    # The file has no place for it: whoever tracks with it must say it there.
    sizes = [f"params.{key} = {value}" for key, value in window_params(name, window).items()]
    note = [("set in pytracking", f"{', '.join(sizes)}: its search window is of {window} px")] if window else []
    print_table([("tracker", name), ("format", kind), *(("file", each) for each in files), *note])


@main.command(example="cmd-train merge --reference runs/b1 --test runs/b2 --out runs/b3")
@click.option("--reference", type=click.Path(path_type=Path), required=True, metavar="RUN|FILE", help="As of row b1.")
@click.option("--test", type=click.Path(path_type=Path), required=True, metavar="RUN|FILE", help="As of row b2.")
@click.option("--tracker", type=TRACKER_NAMES, help="Base tracker of files that are no runs.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The run's folder.")
@ON_EXISTING
@telling
def merge(reference: Path, test: Path, tracker: str | None, out: Path, on_existing: OnExisting) -> None:
    """Put two runs together (row b3). The box module's reference branch of one, its test branch of the other."""
    from trainer.train.merge import merge_runs

    merged = merge_runs(reference, test, out, tracker, on_existing)
    print_result(merged, merged.rows())


@main.command(example="cmd-train feeds --shards shards/center --recipe d3 --out feeds.html")
@SHARDS
@PATCHES
@click.option("--recipe", default="d3", show_default=True, type=NAME_OR_FILE, help="Row of Table 1, or FILE.yaml.")
@click.option("--tracker", type=TRACKER_NAMES, default="dimp50", show_default=True, help="Base tracker.")
@WINDOW
@click.option("--samples", type=click.IntRange(1), default=6, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--init",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    metavar="RUN",
    help="What a run would start from, repeated: what it holds out is not drawn.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE.html")
def feeds(
    shards: tuple[Path, ...],
    patches: str | None,
    recipe: str,
    tracker: str,
    window: int | None,
    samples: int,
    seed: int,
    init: tuple[Path, ...],
    out: Path,
) -> None:
    """Draw what each branch is fed. For each mix and control, with boxes, proposals and labels."""
    from pipeline.pages import html
    from trainer.pages import draw_feeds

    page = html.save(draw_feeds(shards, recipe, tracker, samples, seed, window, init, patches), out)
    keep_settings(out)
    print_table([("report", page)])


main.add_command(two_frame)
main.add_command(study)
