"""One page template for every report: self-contained HTML that opens from disk, prints, and escapes its input."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from pipeline import images
from pipeline.errors import UsageError
from pipeline.files.writing import write_text
from pipeline.pages.content_policy import policy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

SAMPLES = 12
"""Pairs or patches that a page draws unless it is told how many."""
INK, HEAT, COLD, GRID = "#1d2433", "#d9480f", "#1971c2", "#d8dee6"
_LACKS = re.compile(r"Glyph (\d+)")


@dataclass(frozen=True)
class Picture:
    """One picture with its caption; ``uri`` from :func:`picture_uri`; a ``wide`` one has the room of two."""

    uri: str
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Change:
    """Two pictures of one size, as URIs: side by side, or, where scripts run, under a slider from one to the other."""

    before: str
    after: str
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Strip:
    """Pictures side by side under one heading."""

    title: str
    pictures: Sequence[Picture | Change]


@dataclass(frozen=True)
class Section:
    """One block of a page: a note, SVG plots (from :func:`svg`), a table (first row is the head), picture strips.

    A ``sortable`` table is ordered by the column whose head is clicked; with an ``href`` the title leads there.
    """

    title: str
    note: str = ""
    plots: Sequence[Markup] = ()
    table: Sequence[Sequence[object]] = ()
    strips: Sequence[Strip] = field(default_factory=list)
    sortable: bool = False
    href: str = ""


def save(page: str, out: Path) -> Path:
    """Write a page, into a folder that is made when missing; return its path.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, page)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}: choose another --out") from error
    return out


def render(title: str, subtitle: str, facts: Sequence[tuple[str, object]], sections: Sequence[Section]) -> str:
    """The page as text; every string that comes from data is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page, script = ((files("pipeline.pages") / name).read_text(encoding="utf-8") for name in ("page.html", "page.js"))
    return environment.from_string(page).render(
        title=title,
        subtitle=subtitle,
        facts=facts,
        sections=sections,
        footer="Written by cmd-tir. One file, no network: it can be mailed as it is.",
        policy=policy(script),
        script=Markup(script),  # noqa: S704 - our own file
    )


def picture_uri(image: NDArray[np.uint8], quality: int = 82, suffix: Literal[".jpg", ".webp"] = ".jpg") -> str:
    """An (H, W) or R, G, B (H, W, 3) uint8 picture as a data URI.

    WebP takes half of JPEG's room and twenty times as long, and has colours at every other pixel alone.
    """
    data = images.encode(np.ascontiguousarray(image), suffix, quality)
    return f"data:image/{'jpeg' if suffix == '.jpg' else 'webp'};base64,{base64.b64encode(data).decode()}"


def figure(width: float = 4.6, height: float = 2.9) -> Figure:
    """An empty matplotlib figure, in inches, that is drawn without a display or global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def svg(drawn: Figure) -> Markup:
    """A figure as inline SVG."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with (
        # As text, for which a browser has fonts enough.
        mpl.rc_context({"svg.hashsalt": "cmd-tir", "svg.fonttype": "none", "font.family": "sans-serif"}),
        _lacking(),
    ):
        drawn.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return Markup(text[text.index("<svg") :])  # noqa: S704 - matplotlib escapes the text it draws


def png(drawn: Figure, dpi: int) -> bytes:
    """A figure as a PNG file."""
    buffer = io.BytesIO()
    with _lacking() as lacking:
        drawn.savefig(buffer, format="png", dpi=dpi)
    if lacking:
        _tell("".join(sorted(lacking)))
    return buffer.getvalue()


@contextlib.contextmanager
def _lacking() -> Iterator[set[str]]:
    """The characters that matplotlib has no glyph for, once the block is done; it would warn of each of them."""
    lacking: set[str] = set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield lacking
    for each in caught:
        if found := _LACKS.match(str(each.message)):
            lacking.add(chr(int(found[1])))
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


@cache
def _tell(lacking: str) -> None:
    """Once for all pictures that lack the same."""
    log.warning(
        "no font that matplotlib knows has %s: PNG files show boxes in their place, the page shows them", lacking
    )


def histogram(
    values: NDArray[np.float64], label: str, *, bins: int = 30, span: tuple[float, float] | None = None
) -> Markup:
    """A histogram of one quantity, as inline SVG."""
    drawn = figure()
    axes = drawn.add_subplot()
    axes.hist(values, bins=bins, range=span, color=HEAT, edgecolor="white", linewidth=0.4)
    axes.set(xlabel=label, ylabel="count")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    return svg(drawn)


def bars(counts: dict[str, int], label: str) -> Markup:
    """Horizontal bars of named counts, largest on top, as inline SVG."""
    names = sorted(counts, key=lambda name: counts[name])[-20:]
    drawn = figure(height=max(1.4, 0.8 + 0.26 * len(names)))
    axes = drawn.add_subplot()
    shown = axes.barh([name.replace("$", r"\$") for name in names], [counts[name] for name in names], color=COLD)
    axes.bar_label(shown, padding=3, fontsize=8)
    axes.set(xlabel=label)
    axes.locator_params(axis="x", integer=True)
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    return svg(drawn)
