"""Draws the rooms in docs/architecture.md from the code's own imports and the contracts in pyproject.toml."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.code_page import write_or_compare

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- rooms: begin -->", "<!-- rooms: end -->"
PACKAGES = ("pipeline", "trainer")
STAGES = frozenset({"align", "mine", "train", "track", "evaluate"})


@dataclass(frozen=True)
class Room:
    """One folder of code, or one module on the top floor of a package."""

    path: Path

    @property
    def name(self) -> str:
        """``align/`` for a folder, ``boxes.py`` for a module."""
        inner = "/".join(self.path.relative_to(ROOT).parts[1:])
        return f"{inner}/" if self.path.is_dir() else inner

    @property
    def files(self) -> list[Path]:
        """Its own modules, those of the folders in it not counted."""
        return sorted(self.path.glob("*.py")) if self.path.is_dir() else [self.path]

    @property
    def purpose(self) -> str:
        """The first line of its docstring, without the full stop."""
        home = self.path / "__init__.py" if self.path.is_dir() else self.path
        words = ast.get_docstring(ast.parse(home.read_text(encoding="utf-8"))) or ""
        return words.split("\n")[0].replace("``", "`").removesuffix(".")

    @property
    def lines(self) -> int:
        """Its lines, rounded up to hundreds, so that the table changes when a room does and not with every line."""
        return -(-sum(len(path.read_text(encoding="utf-8").splitlines()) for path in self.files) // 100) * 100


def contracts() -> list[dict[str, Any]]:
    """The import contracts, in the order of pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(settings["tool"]["importlinter"]["contracts"])


def floors(package: str) -> list[list[str]]:
    """The floors of a package as its contract names them, top floor first."""
    layers = next(c["layers"] for c in contracts() if c.get("exhaustive") and c["containers"] == [package])
    return [[room.strip() for room in layer.split("|")] for layer in layers]


def place(room: str) -> Path:
    """The folder or the module of ``package.room``."""
    folder = ROOT.joinpath(*room.split("."))
    return folder if folder.is_dir() else folder.with_suffix(".py")


def folders(path: Path) -> Iterator[Path]:
    """A room, then the folders of code in it. A module has none."""
    yield path
    yield from sorted(inner.parent for inner in path.rglob("*/__init__.py"))


def imported(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def uses() -> dict[str, set[str]]:
    """Which room, ``package.room``, imports which."""
    rooms = {f"{package}.{room}" for package in PACKAGES for floor in floors(package) for room in floor}
    graph: dict[str, set[str]] = {}
    for room in rooms:
        files = [path for folder in folders(place(room)) for path in Room(folder).files]
        names = {".".join(name.split(".")[:2]) for path in files for name in imported(path)}
        graph[room] = names & rooms - {room}
    return graph


def reached(room: str, graph: dict[str, set[str]]) -> set[str]:
    """Every room that a room imports, through others too."""
    return graph[room].union(*(reached(other, graph) for other in graph[room]))


def picture(package: str, graph: dict[str, set[str]]) -> Iterator[str]:
    """A Mermaid flowchart: a row for each floor; an arrow that a longer way already tells is left out."""
    yield from ("```mermaid", "flowchart TD", "  classDef stage fill:#fde7c9,stroke:#c77700,color:#000")
    level = {f"{package}.{room}": number for number, floor in enumerate(floors(package)) for room in floor}
    for room in level:
        style = ":::stage" if room.split(".")[1] in STAGES else ""
        yield f'  {room}["{Room(place(room)).name}"]{style}'
        longer = set().union(*(reached(other, graph) for other in graph[room]))
        for other in sorted(graph[room] & level.keys() - longer):
            yield f"  {room} {'-' * (level[other] - level[room] + 1)}> {other}"
    yield "```"


def table(package: str) -> Iterator[str]:
    """A row for each room and each folder in it, top floor first."""
    yield from ("| floor | room | purpose | files | lines, up to |", "|---|---|---|---|---|")
    levels = floors(package)
    for above, names in enumerate(levels):
        for room in (Room(path) for name in names for path in folders(place(f"{package}.{name}"))):
            yield f"| {len(levels) - above} | `{room.name}` | {room.purpose} | {len(room.files)} | {room.lines} |"


def drawn() -> str:
    """Everything from mark to mark."""
    graph = uses()
    lines = [BEGIN]
    for package in PACKAGES:
        lines += ["", f"### `{package}/`", "", *picture(package, graph), "", *table(package)]
    seen = {other for room in graph if room.startswith("trainer.") for other in graph[room]}
    names = ", ".join(f"`{room.split('.')[1]}`" for room in sorted(seen) if room.startswith("pipeline."))
    lines += ["", f"`trainer` sees of `pipeline`: {names}.", "", "### Rules", ""]
    return "\n".join([*lines, *(f"- {contract['name']}" for contract in contracts()), END])


def between_marks(before: str) -> str:
    """The page with the rooms between its marks.

    Raises:
        LookupError: it has none.
    """
    if BEGIN not in before or END not in before:
        raise LookupError(f"no place for the rooms: needs the lines {BEGIN} and {END}")
    return before.split(BEGIN)[0] + drawn() + before.split(END)[1]


if __name__ == "__main__":
    page = ROOT / "docs" / "architecture.md"
    sys.exit(write_or_compare("rooms", __doc__, page, between_marks, "the rooms have changed"))
