"""The site of `make docs`: built without the network, loading nothing from it, with all that docs/python.md names."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from .conftest import REPOSITORY
from .test_docs import BLOCK, DOTTED, is_there

SHOWN = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
LOADING = {"src", "srcset", "data", "poster", "action"}
IN_STYLES = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")
OFFLINE = (
    "import os, sys; sys.addaudithook(lambda event, _: event == 'socket.connect' and os._exit(9)); "
    "from mkdocs.__main__ import cli; cli()"
)


class Loads(HTMLParser):
    """What a browser fetches from elsewhere for a page, links that wait for a click left out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found = IN_STYLES.findall(html)
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = LOADING | ({"href"} if tag in ("link", "base") else set())
        self.found += [value for name, value in attrs if name in names and re.match("(?:https?:)?//", value or "")]
        # Material's script fetches what draws Mermaid for a page that has a drawing, and no other.
        self.found += ["mermaid" for name, value in attrs if name == "class" and "mermaid" in (value or "").split()]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="needs mkdocs: pip install 'cmd-tir[docs]'")
    out = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-c", OFFLINE, "build", "--strict", "--site-dir", out]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.slow
def test_no_page_loads_anything_from_the_network(site: Path) -> None:
    pages, styles = sorted(site.rglob("*.html")), sorted(site.rglob("*.css"))
    assert {"index.html", "CONTRIBUTING.html", "training.html"} < {page.name for page in pages}
    assert styles
    assert {page.name: Loads(page.read_text()).found for page in pages if Loads(page.read_text()).found} == {}
    assert [found for style in styles for found in IN_STYLES.findall(style.read_text())] == []


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://a.org/x.js"></script>',
        '<link rel="stylesheet" href="//a.org/x.css">',
        "<style>@font-face { src: url('https://a.org/x.woff') }</style>",
        '<pre class="wide mermaid">graph</pre>',
    ],
)
def test_the_look_for_what_is_loaded_sees_it(html: str) -> None:
    assert Loads(html).found
    assert Loads('<a href="https://a.org">there</a><img src="pictures/overview.jpg">').found == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("README.md", "[there](docs/speed.md#nowhere)"),
        ("docs/tubes.md", "[there](nowhere.md)"),
        ("docs/lost.md", "a page that no menu has"),
        ("docs/api/pairs.md", "::: pipeline.align.nothing"),
    ],
)
def test_what_leads_nowhere_ends_make_docs(page: str, words: str, tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs mkdocs: pip install 'cmd-tir[docs]'")
    if not shutil.which("make"):
        pytest.skip("needs make")
    for path in REPOSITORY.iterdir():
        if path.name not in ("docs", "README.md", "site") and not path.name.startswith("."):
            (tmp_path / path.name).symlink_to(path)
    shutil.copytree(REPOSITORY / "docs", tmp_path / "docs")
    shutil.copy(REPOSITORY / "README.md", tmp_path)
    with (tmp_path / page).open("a") as file:
        file.write(f"\n{words}\n")
    make = ["make", "-o", "setup", "docs", f"VENV={sys.prefix}"]
    done = subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2, done.stderr
    assert re.search("nowhere|lost|nothing", done.stderr)


@pytest.mark.slow
def test_docstrings_and_tables_are_set_as_they_are_meant(site: Path) -> None:
    api = "".join(page.read_text() for page in (site / "api").glob("*.html"))
    assert "All that a run of <code>align</code> takes" in api
    assert re.findall(r":(?:class|data|func|meth|mod):", api) == []
    assert "<code>visible|rgb|vi|vis|color</code>" in (site / "data_sets.html").read_text()
    assert "flowchart TD" in (site / "architecture.html").read_text()


def used(code: str) -> Iterator[str]:
    """The dotted names of ours that a block of Python uses: what it imports, of a stage what it takes out of that."""
    tree = ast.parse(code)
    ours = {
        alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("pipeline", "trainer"))
        for alias in node.names
    }
    stages = {name: dotted for name, dotted in ours.items() if (REPOSITORY / dotted.replace(".", "/")).is_dir()}
    yield from set(ours.values()) - set(stages.values())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in stages:
            yield f"{stages[node.value.id]}.{node.attr}"


def test_every_name_that_the_python_page_uses_or_promises_has_its_docstring_in_the_site() -> None:
    page = (REPOSITORY / "docs/python.md").read_text()
    blocks = "".join(code for kind, code in BLOCK.findall(page) if kind == "python")
    named = {*used(blocks), *DOTTED.findall(page.partition("## Names that stay")[2])}
    assert {"pipeline.align.AlignConfig", "trainer.data.WindowDataset", "trainer.net.prroi.prroi_pool"} < named
    shown = {name for page in (REPOSITORY / "docs/api").glob("*.md") for name in SHOWN.findall(page.read_text())}
    assert named - shown == set()
    assert [name for name in shown if not is_there(name)] == []
