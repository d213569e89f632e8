"""The page that leads to all pages of the demo."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline import images
from pipeline.errors import DataError
from pipeline.pages import html
from tools import demo_index

from .conftest import Data, Run, done
from .page_parts import Parts, check_parts


@pytest.fixture
def demo(data: Data, mined: dict[str, Path], prep: Run, tmp_path: Path) -> Path:
    """The pages of cmd-prep as they are, and of the trainer's what the index takes of them."""
    folder = tmp_path / "demo"
    done(prep("report", data.aligned, "--samples", 1, "--out", folder / "aligned/report.html"))
    for method in ("center", "random", "detection"):
        done(prep("report", mined[method], "--samples", 1, "--out", folder / f"shards/{method}/report.html"))
    uri = (folder / "shards/center/report.html").read_text().partition('src="')[2].partition('"')[0]
    fed, seen = (
        html.Section("c1", strips=[html.Strip("", [html.Picture(uri, called)])])
        for called in ("test: tir", "response after")
    )
    plotted = html.Section("curves", plots=[html.bars({"a": 1}, "<n>")])
    for name, section in {"feeds": fed, "student/report": seen, "report/report": plotted}.items():
        html.save(html.render(f"<{name}>", "", [], [section]), folder / f"{name}.html")
    (folder / demo_index.TRACKED).parent.mkdir(parents=True)
    (folder / demo_index.TRACKED).write_bytes(images.encode(np.full((20, 30, 3), 90, np.uint8), ".jpg"))
    return folder


def test_it_leads_to_every_page_with_one_picture_of_each(demo: Path) -> None:
    page = demo_index.build(demo)
    leads = (*demo_index.PAGES, demo_index.TRACKED)
    check_parts(page, leads_to=leads)
    assert set(Parts(page).loads) == set(leads)
    assert all((demo / name).is_file() for name in leads)
    assert page.count("<img") == 7
    assert page.count("<svg") == 1
    assert '<a href="feeds.html">train: &lt;feeds&gt;</a>' in page
    assert len(page) < 300_000


def test_a_page_that_is_not_there_or_shows_nothing_is_named(demo: Path) -> None:
    shutil.copy(demo / "report/report.html", demo / "aligned/report.html")
    with pytest.raises(DataError, match=r"aligned/report\.html lacks the picture"):
        demo_index.build(demo)
    (demo / "aligned/report.html").unlink()
    with pytest.raises(DataError, match=r"aligned/report\.html: No such file or directory: run make demo again"):
        demo_index.build(demo)
