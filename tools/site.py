"""What mkdocs.yml's site has otherwise than docs/ on GitHub: pages from above, folded drawings, references as code."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ABOVE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff")
"""Files above docs/ that are linked to; in the site they lie beside its pages."""
LINK = re.compile(r"(?<=\]\()(?:docs/|\.\./)")
DRAWING = re.compile(r"^```mermaid\n.*?^```\n", re.MULTILINE | re.DOTALL)
ROLE = re.compile(r":\w+:<code>(?:~[\w.]*\.)?")
CELL = re.compile(r"<td.*?</td>", re.DOTALL)


def on_files(files: Files, /, *, config: MkDocsConfig) -> Files:
    """Add what lies above docs/."""
    for name in ABOVE:
        files.append(File.generated(config, name, abs_src_path=str(Path(config.docs_dir).parent / name)))
    return files


def on_page_markdown(markdown: str, /, *, page: Page, **_: object) -> str:
    """Lead links to where pages lie in the site, and fold drawings: what draws them would come from the network."""
    if "/" not in page.file.src_uri:
        markdown = LINK.sub("", markdown)
    return DRAWING.sub(_folded, markdown)


def _folded(drawing: re.Match[str]) -> str:
    return '??? note "The drawing, in the words of Mermaid"\n' + textwrap.indent(drawing[0], "    ")


def on_page_content(html: str, /, **_: object) -> str:
    """Show the references of docstrings, ``:meth:`~package.Class.name```, as code, and bars in cells as GitHub does.

    There a bar in a cell must be escaped, in code too; Python-Markdown leaves such a backslash where it is.
    """
    return CELL.sub(lambda cell: cell[0].replace(r"\|", "|"), ROLE.sub("<code>", html))
