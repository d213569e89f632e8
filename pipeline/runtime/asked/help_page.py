"""What ``--help`` shows: options in groups where there are many, and an example at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class HelpPage(click.Command):
    """A command whose help ends with an example.

    Args:
        example: lines to type; empty shows none.
        groups: titles -> names of the options below them; what no group names comes after them, as ``rest``.
        rest: title of those.
    """

    def __init__(
        self,
        *args: Any,
        example: str = "",
        groups: Mapping[str, tuple[str, ...]] | None = None,
        rest: str = "Options",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.example, self.groups, self.rest = example, dict(groups or {}), rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group, then what a group of commands has."""
        self.format_groups(ctx, formatter)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)

    def format_groups(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group."""
        titles = {name: title for title, names in self.groups.items() for name in names}
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in (*self.groups, self.rest)}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                sections[titles.get(max(param.opts, key=len).lstrip("-"), self.rest)].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example."""
        if not self.example:
            return
        with formatter.section("Example"):
            for line in self.example.splitlines():
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")
