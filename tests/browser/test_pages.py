"""Every page in a headless Chromium that is on this machine (`make pages`); of a folder's pages with PAGES=FOLDER."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.pages import html
from tools import demo_index
from tools.chromium import find
from trainer.commands.train import main as train
from trainer.pages import feeds_page
from trainer.study.report import write_report

from ..conftest import Data, Run, done
from ..test_demo_index import demo
from ..trainer.conftest import Eval, World, evaluate, world
from ..trainer.study.study_world import add_pictures, make_study, results
from ..trainer.train_world import small_windows, tracked, write_world

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from .visit import visit  # noqa: E402 - it cannot be imported without playwright

__all__ = ["demo", "evaluate", "world"]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    try:
        path = find()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    with sync_api.sync_playwright() as driver:
        # In a container, as root, Chromium has no sandbox; what is opened here are our own pages.
        started = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


def test_aligned_pairs(data: Data, prep: Run, browser: object) -> None:
    done(prep("report", data.aligned, "--samples", 3))
    clicked = visit(browser, data.aligned / "report.html")
    assert min(clicked["pictures"], clicked["sliders"]) >= 3 * 3


@pytest.mark.parametrize("method", ["center", "random", "detection"])
def test_shards(mined: dict[str, Path], prep: Run, browser: object, tmp_path: Path, method: str) -> None:
    done(prep("report", mined[method], "--samples", 2, "--out", tmp_path / "p.html"))
    assert visit(browser, tmp_path / "p.html")["pictures"] == 3 * 2 * 6


def test_an_evaluation(world: World, evaluate: Eval, browser: object) -> None:
    done(evaluate("near", "lost", "perfect", "--attributes", world.folder("attributes")))
    assert visit(browser, world.root / "out/report.html")["heads"] >= 3 * 3


def test_a_study(browser: object, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", results(sequences=12))
    add_pictures(study)
    write_report(study)
    assert visit(browser, study / "report.html")["pictures"] == 3 * 8


def test_what_branches_are_fed(browser: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch)
    page = feeds_page.draw_feeds([write_world(tmp_path)], "c1", "dimp18", samples=1, seed=0)
    (tmp_path / "feeds.html").write_text(page)
    assert visit(browser, tmp_path / "feeds.html")["pictures"] > 0


def test_a_run(browser: object, tmp_path: Path) -> None:
    shards = write_world(tmp_path / "shards", tracked(sequences=12, frames=3))
    words = ["--shards", shards, "--recipe", "pretrain", "--tracker", "nanotrack_v2", "--device", "cpu", "--force"]
    sizes = ["--epochs", 1, "--samples-per-epoch", 4, "--batch-size", 4, "--loader-workers", 0]
    with pytest.raises(SystemExit) as ended:
        train([str(word) for word in (*words, *sizes, "--out", tmp_path / "run")])
    assert not ended.value.code
    visit(browser, tmp_path / "run/report.html")


def test_the_index_of_the_demo(demo: Path, browser: object) -> None:
    visit(browser, html.save(demo_index.build(demo), demo / "index.html"))


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not os.environ.get("PAGES"), reason="PAGES names no folder of pages")
def test_the_pages_of_a_folder(browser: object) -> None:
    pages = sorted(Path(os.environ["PAGES"]).resolve().rglob("*.html"))
    assert pages, "no pages there"
    for page in pages:
        visit(browser, page)


@pytest.mark.parametrize(
    ("instead", "told"),
    [
        ("<h1 onclick='go()'>", "Content Security Policy"),
        ("<img src='https://a.invalid/x.png'><h1>", "Content Security Policy"),
        ("<p style='width: 2000px'>wide</p><h1>", "needs 2"),
        ("<a href='#gone'>there</a><h1>", "#gone leads nowhere"),
        ("<img src='data:image/jpeg;base64,AAAA'><h1>", "cannot be decoded"),
    ],
)
def test_what_is_wrong_with_a_page_is_found(
    mined: dict[str, Path], prep: Run, browser: object, tmp_path: Path, instead: str, told: str
) -> None:
    page = tmp_path / "p.html"
    done(prep("report", mined["center"], "--samples", 1, "--out", page))
    page.write_text(page.read_text().replace("<h1>", instead, 1))
    with pytest.raises(AssertionError, match=told):
        visit(browser, page)
