"""What the commands share: one line an error, exit codes, tables."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline.errors import CmdTirError, first_fault
from pipeline.files.json_text import plain
from pipeline.next_command import shown
from pipeline.runtime.asked.help_page import HelpPage
from pipeline.runtime.asked.subcommand import Subcommand
from pipeline.runtime.console import make_lasting

F = TypeVar("F", bound=Callable[..., Any])
_QUIET, _JSON = f"{__name__}.quiet", f"{__name__}.json"
"""What was asked for, in a command's ``meta``: whether to be quiet; the standard output that a result goes to."""


class SingleCommand(HelpPage):
    """A click command that ends with the documented exit codes and never shows a traceback without ``--debug``.

    0 done, 1 done but too many rejects, 2 bad usage or settings, 3 bad input data, 4 interrupted or failed: rerun.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(click.Option(["--debug"], is_flag=True, help="Show tracebacks and debug messages."))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for, with logging set up."""
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        level = logging.DEBUG if ctx.params.pop("debug", False) else logging.INFO
        _listen(logging.WARNING if _QUIET in ctx.meta else level)
        return super().invoke(ctx)

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Parse and run; every failure becomes one line on stderr and an exit code."""
        make_lasting()
        arguments = list(sys.argv[1:] if args is None else args)
        # --debug is accepted wherever it is typed, as people add it at the end of the line that failed.
        debug = "--debug" in arguments
        arguments = ["--debug"] * debug + [word for word in arguments if word != "--debug"]
        # SLURM, Kubernetes and systemd end a job with SIGTERM: as good a reason to stop in order as Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            code = super().main(arguments, standalone_mode=False, **{"prog_name": self.name, **extra})
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
            code = 2
        except click.ClickException as error:
            code = _fail(f"{error.format_message()} (--help lists the options)", 2)
        except (KeyboardInterrupt, click.Abort):
            code = _fail("interrupted: run the same command again to go on", 4)
        except Exception as error:  # noqa: BLE001 - the one place where an unforeseen failure becomes a line and a code
            if debug:
                traceback.print_exc()
            code = _explain(error)
        # Worker pools that were cut short must not keep the process alive.
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)


class OnlyCommand(SingleCommand, Subcommand):
    """A command without subcommands."""


class Command(SingleCommand, click.Group):
    """A group of subcommands that ends the same way."""

    command_class = Subcommand

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order in which they were added."""
        return list(self.commands)


def _fail(message: str, code: int) -> int:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    return code


def _explain(error: Exception) -> int:
    """Print one line for an exception and return its exit code."""
    from pydantic import ValidationError

    if isinstance(error, CmdTirError):
        return _fail(str(error), error.exit_code)
    if isinstance(error, ValidationError):
        fault = first_fault(error)
        return _fail(f"setting {fault.key}: {fault.message}, got {fault.value!r}", 2)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}: free space or fix permissions, then run the same again", 4)
    return _fail(f"{type(error).__name__}: {error} (rerun with --debug for the traceback)", 4)


def _listen(level: int) -> None:
    for package in ("pipeline", "trainer"):
        logging.getLogger(package).setLevel(level)


def _be_quiet(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.meta[_QUIET] = True
        _listen(logging.WARNING)


def _tell_json(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.meta[_JSON] = sys.stdout
        ctx.with_resource(contextlib.redirect_stdout(sys.stderr))


def telling(function: F) -> F:
    """The options of a command that runs a stage: what it says meanwhile, and how its result is told."""
    for flag, callback, help_text in (
        ("--json", _tell_json, "The result as one JSON object on standard output; all else goes to standard error."),
        ("--quiet", _be_quiet, "Say nothing but warnings and errors."),
    ):
        function = click.option(flag, is_flag=True, expose_value=False, callback=callback, help=help_text)(function)
    return function


def print_result(result: object, *tables: Sequence[tuple[object, ...]]) -> None:
    """Print the result of a stage in the way that was asked for: its tables, one JSON object, or nothing."""
    meta = click.get_current_context().meta
    if _JSON in meta:
        click.echo(json.dumps(plain(result), allow_nan=False), file=meta[_JSON])
        return
    for rows in tables:
        print_table(rows)


def print_table(rows: Sequence[tuple[object, ...]]) -> None:
    """Print rows of cells in aligned columns; paths are shown relative to the working folder where they can be.

    Nothing where the command is to be quiet.
    """
    if (context := click.get_current_context(silent=True)) and _QUIET in context.meta:
        return
    text = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in text if i < len(row)) for i in range(max(map(len, text), default=0))]
    for row in text:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, Path):
        return shown(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
