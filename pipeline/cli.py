"""cmd-prep: its subcommands, and what it is."""

from __future__ import annotations

import click

from pipeline.commands.align import align
from pipeline.commands.doctor import doctor
from pipeline.commands.export import export
from pipeline.commands.look import inspect, report_page, verify
from pipeline.commands.manifests import manifests
from pipeline.commands.mine import mine
from pipeline.commands.synth import synth
from pipeline.runtime.command import Command


@click.group(
    "cmd-prep",
    cls=Command,
    example="cmd-prep doctor KAIST\ncmd-prep align --root KAIST --out aligned",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="cmd-tir", prog_name="cmd-prep")
def main() -> None:
    """Prepare unlabelled RGB-TIR pairs for cross-modal distillation: align, mine, look."""


# In the order in which they are needed, which is that of the help page.
for subcommand in (doctor, align, mine, verify, inspect, report_page, export, manifests, synth):
    main.add_command(subcommand)
