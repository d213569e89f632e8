"""Kinds of patches: what shards are, what a row wants, and how it is mined."""

from __future__ import annotations

from typing import Any

import pytest

from trainer.recipes.patch_kinds import fits, kind_of, mined_with, of_tubes
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import configure


@pytest.mark.parametrize(
    ("settings", "kind", "options"),
    [
        ({"method": "center"}, "center", "--method center"),
        ({"method": "detection", "tubes": True}, "detection-tubes", "--method detection --tubes"),
        ({"method": "random", "tubes": False}, "random", "--method random"),
        (
            {"method": "own.methods:Edges", "tubes": True},
            "own.methods:Edges-tubes",
            "--method own.methods:Edges --tubes",
        ),
    ],
)
def test_shards_are_of_one_kind_which_says_how_they_are_mined(
    settings: dict[str, Any], kind: str, options: str
) -> None:
    assert kind_of(settings) == kind
    assert mined_with(kind) == options
    assert of_tubes(kind) == bool(settings.get("tubes"))
    assert fits(kind, kind)


def test_tubes_are_those_of_any_method_and_no_method_takes_another_s() -> None:
    kinds = ["center", "random", "detection", "center-tubes", "random-tubes", "detection-tubes"]
    assert [kind for kind in kinds if fits(kind, "tubes")] == kinds[3:]
    assert [kind for kind in kinds if fits(kind, "detection")] == ["detection"]
    assert [kind for kind in kinds if fits(kind, "detection-tubes")] == ["detection-tubes"]
    assert mined_with("tubes") == "--tubes"
    assert not of_tubes(None)


@pytest.mark.parametrize(
    ("recipe", "overrides", "patches", "instants"),
    [
        ("d3", (), "center", "one"),
        ("t3", (), "detection-tubes", "two"),
        ("t4", (), "random-tubes", "two"),
        ("t3", ("instants=one",), "detection-tubes", "one"),
        ("t3", ("patches=random",), "random", "one"),
        ("d3", ("patches=tubes",), "tubes", "two"),
        ("b1", ("patches=center-tubes",), "center-tubes", "two"),
        ("d3", ("patches=random",), "random", "one"),
        ("pretrain", (), "detection", "two"),
        ("pretrain", ("patches=detection-tubes",), "detection-tubes", "two"),
    ],
)
def test_patches_of_tubes_are_seen_at_two_instants(
    recipe: str, overrides: tuple[str, ...], patches: str, instants: str
) -> None:
    row = resolve_row(configure({"recipe": recipe, "tracker": "dimp18", "out": "run"}, overrides))
    assert (row.patches, row.instants) == (patches, instants)


def test_which_patches_a_run_draws_counts_by_their_content() -> None:
    given = {"recipe": "d3", "tracker": "dimp18", "out": "run"}
    assert configure(given, ("patches=tubes",)).identity() == configure(given, ()).identity()
    assert configure(given, ("patches=tubes",)).record()["patches"] == "tubes"
    assert "patches" not in configure(given, ()).record()
