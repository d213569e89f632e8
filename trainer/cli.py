"""cmd-train: parse, call, map errors to exit codes; nothing else. torch is imported when a command needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline.command import Command, guard_package, print_table

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
)


class Train(Command):
    """``cmd-train`` trains without a subcommand: ``cmd-train --shards PATH`` is what people type."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Send a line that names no subcommand to ``train``."""
        plain = [word for word in args if word != "--debug"]
        if plain and plain[0] not in {*self.commands, "-h", "--help", "--version", "--list-recipes"}:
            args = ["--debug"] * ("--debug" in args) + ["train", *plain]
        return super().parse_args(ctx, args)


def _list_recipes(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from trainer.recipe import load_recipe, recipe_names

    rows: list[tuple[object, ...]] = [RECIPE_HEAD]
    for recipe in map(load_recipe, recipe_names()):
        trains = ", ".join(f"{module} {branch}" for module, branch in recipe.trains.items())
        rates = [recipe.rates.get(module, "-") for module in ("bbe", "tcl")]
        paper = [recipe.paper.get(score, "-") for score in ("S", "P", "NP")]
        start = "+".join(recipe.starts_from)
        rows.append((recipe.name, trains, recipe.reference, recipe.test, recipe.patches, start, *rates, *paper))
    print_table(rows)
    ctx.exit()


@click.group(cls=Train, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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

    `cmd-train --shards SHARDS --recipe c1 --tracker dimp18 --out RUN` trains; `cmd-train train --help` has the options.
    """
    guard_package("trainer")


@main.command()
@click.option(
    "--shards",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    required=True,
    help="Folder that `cmd-prep mine` wrote; may be repeated.",
)
@click.option("--recipe", default="c1", show_default=True, help="Row of Table 1; --list-recipes prints them.")
@click.option(
    "--tracker",
    type=click.Choice(["dimp18", "dimp50", "superdimp", "atom"]),
    default="dimp50",
    show_default=True,
    help="Base tracker.",
)
@click.option(
    "--init",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE|RUN",
    help="Weights to start from: pytracking's, a torchvision ResNet, or a run; repeated, one a parent row.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The run's folder.")
@click.option("--epochs", type=click.IntRange(1), show_default="50")
@click.option("--samples-per-epoch", type=click.IntRange(1), show_default="26000")
@click.option("--batch-size", type=click.IntRange(1), show_default="5")
@click.option("--device", show_default="a GPU where there is one", help="torch device.")
@click.option("--loader-workers", type=click.IntRange(0), show_default="2", help="Processes that read shards.")
@click.option("--seed", type=int, show_default="0")
@click.option("--resume", is_flag=True, help="Go on from RUN/state.pt.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any setting of run.json, e.g. rates.tcl=1e-4, losses=paper.",
)
def train(overrides: tuple[str, ...], **options: Any) -> None:
    """Train one recipe on shards; writes RUN/model.safetensors and what is needed to resume."""
    from trainer.recipe import configure

    given = {name: value for name, value in options.items() if value is not None}
    config = configure(given, overrides)
    from trainer import loop

    print_table(list(loop.run(config).items()))
