"""YAML as data that cannot do anything: strings, lists and mappings, within bounds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import UsageError
from pipeline.files.plain import read_plain
from pipeline.files.writing import write_text

MAX_BYTES = 200_000
"""Largest file accepted; a real one is under ten thousand bytes."""


_Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""libyaml's, ten times as fast, where PyYAML was built with it."""


class _PlainLoader(_Parser):  # type: ignore[misc]
    """Every scalar stays a string, so that ``no`` is a name and not False; what reads it gives it its type.

    A key that stands twice is refused.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                fault = (
                    f"key {key.value!r} stands twice" if isinstance(key, yaml.ScalarNode) else "a key must be a word"
                )
                raise yaml.MarkedYAMLError(problem=fault, problem_mark=key.start_mark)
            seen.add(key.value)
        content: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return content


def _refuse_what_is_not_plain(data: bytes) -> None:
    """Tags, and anchors and aliases: an alias of an alias can blow up to any size."""
    for event in yaml.parse(data, _Parser):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem="tags, anchors and aliases are not allowed", problem_mark=mark)


def parse_yaml(path: Path | Traversable, what: str) -> dict[str, Any]:
    """Read a YAML file whose top is a mapping; all scalars come as strings.

    Args:
        path: the file.
        what: what to call it in an error, such as ``manifest kaist``.

    Raises:
        UsageError: unreadable, too large, not YAML, or using what is not allowed; with the line.
    """
    try:
        data = read_plain(path, MAX_BYTES) if isinstance(path, Path) else path.read_bytes()
        _refuse_what_is_not_plain(data)
        content = yaml.load(data, _PlainLoader)  # noqa: S506 - builds nothing but strings, lists and mappings
    except OSError as error:
        raise UsageError(f"cannot read {what}: {error.strerror or error}: check the path") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{what}, line {line}: {error.problem}: mend that line") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{what} is not readable as YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{what}: expected keys and values, such as 'name: my_data'")
    return content


class _PlainDumper(yaml.SafeDumper):
    """Writes strings as :func:`parse_yaml` reads them: ``0.3`` and ``no`` need no quotes there."""

    yaml_implicit_resolvers = {}  # noqa: RUF012


def _word(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Between double quotes alone, escapes stand for what would be taken for the end of a line, or for nothing."""
    style = None if text.isascii() and text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_PlainDumper.add_representer(str, _word)


def write_yaml(path: Path, content: Mapping[str, str | list[str]], comment: str) -> None:
    """Write words, and lists of words, by their keys, below a line of comment; :func:`parse_yaml` gives them again."""
    text = yaml.dump(dict(content), Dumper=_PlainDumper, allow_unicode=True, sort_keys=False, width=1_000)
    write_text(path, f"{comment}\n{text if content else ''}")
