"""The page that shows what the branches are fed."""

import dataclasses
from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from trainer.pages import feeds_page

from ...page_parts import check_parts
from ..train_world import shard, small_windows, write_world


@pytest.mark.parametrize(
    ("recipe", "mixes", "pictures"), [("b2", 1, 6), ("d3", 3, 24), ("k3", 1, 10), ("pretrain", 1, 6)]
)
def test_every_mix_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, mixes: int, pictures: int
) -> None:
    """Two samples: one row each, or two where every pair enters twice; three pictures a row, of k3 five.

    So is every control.
    """
    small_windows(monkeypatch)
    page = feeds_page.draw_feeds([write_world(tmp_path)], recipe, "dimp18", samples=2, seed=0)
    check_parts(page)
    controls = {"pretrain": 0, "d3": 5, "b2": 6, "k3": 2}[recipe]
    assert page.count("<h2") == 1 + mixes + controls
    assert page.count("Streaks lie beyond the picture&#39;s edge") == page.count("Grey areas are what the thermal") == 1
    assert page.count("Control, ") == controls
    assert page.count("data:image/jpeg") == pictures + (10 if recipe == "k3" else 6) * controls + 2 * (recipe == "b2")
    assert "video-" in page


@pytest.mark.parametrize(("track", "told"), [(-1, "one instant"), (7, "two instants")])
def test_the_windows_of_pretrain_are_of_the_instants_that_it_trains_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, track: int, told: str
) -> None:
    small_windows(monkeypatch)
    content = shard(sequences=6, frames=4)
    content.patches[:] = [dataclasses.replace(patch, track=track) for patch in content.patches]
    page = feeds_page.draw_feeds([write_world(tmp_path, content)], "pretrain", "dimp18", samples=2, seed=0)
    assert f"the first of 3 a branch, of {told}" in page


def test_a_row_of_tubes_is_drawn_at_two_instants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch)
    folders = [write_world(tmp_path / "center"), write_world(tmp_path / "tubes", shard(method="random", tubes=True))]
    told = "one image a branch, of two instants"
    cases = (("t4", None, "random-tubes"), ("d3", "tubes", "random-tubes"), ("d3", None, "center"))
    for recipe, patches, shown in cases:
        page = feeds_page.draw_feeds(folders, recipe, "dimp18", samples=2, seed=0, patches=patches)
        assert shown in page
        assert (told in page) == (shown == "random-tubes")


def test_a_row_of_one_s_own_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known by its file: its name is no row that ships."""
    small_windows(monkeypatch)
    own = tmp_path / "mine.yaml"
    own.write_text((files("trainer.recipes.table1") / "b2.yaml").read_text().replace("name: b2", "name: mine"))
    page = feeds_page.draw_feeds([write_world(tmp_path)], str(own), "dimp18", samples=2, seed=0)
    assert "In mine the test branch is trained" in page
    assert page.count("Control, ") == 6


def test_a_row_that_trains_nothing_is_fed_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="b3 trains nothing"):
        feeds_page.draw_feeds([tmp_path], "b3", "dimp18", samples=2, seed=0)


def test_a_draw_with_nothing_to_find_says_so(tmp_path: Path) -> None:
    """NanoTrack is trained with templates of other scenes; where nothing else tells, its label looks like a fault."""
    folders = [write_world(tmp_path)]
    page = feeds_page.draw_feeds(folders, "c1", "nanotrack_v2", samples=12, seed=0)
    told = page.count(feeds_page.OTHER_SCENE)
    assert 0 < told < page.count(", row ")
    assert feeds_page.OTHER_SCENE not in feeds_page.draw_feeds(folders, "c1", "dimp18", samples=2, seed=0)
