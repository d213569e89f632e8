"""How many windows measure a run, and how they are fed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.feeds import Feeding
from trainer.data.training_data import open_training_data
from trainer.features import Backbone
from trainer.measure.held_out_test import FEWEST_WINDOWS, SHARE, HeldOutTest, passes_of, ways_of, windows_of
from trainer.measure.proposal_answers import gives_densities
from trainer.net import DimpNet, build_network
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import make_settings

from ..train_world import small_windows, tracked, write_world


@given(st.integers(1, 10**6), st.integers(1, 500), st.integers(0, 1000))
def test_measuring_takes_a_fifth_of_the_draws_or_its_least(samples: int, epochs: int, most: int) -> None:
    """Losses before and after each epoch, and the test in three ways of feeding before and after."""
    windows = windows_of(make_settings({"recipe": "d3", "samples_per_epoch": samples, "held_out_samples": most}))
    passes = passes_of(epochs)
    assert passes == 1 + epochs + 2 * 3
    assert windows * passes * SHARE <= samples * epochs or windows <= FEWEST_WINDOWS
    assert min(most, FEWEST_WINDOWS) <= windows <= most


def test_ways_of_feeding_are_named_once() -> None:
    once = Feeding(("rgb", "tir"), ("tir", "rgb"), once=True)
    assert list(ways_of(once)) == ["as trained", "TIR alone", "RGB alone", "RGB and TIR"]
    assert not ways_of(once)["as trained"].once
    assert list(ways_of(Feeding(("rgb",), ("rgb",)))) == ["TIR alone", "RGB alone", "RGB and TIR"]


@pytest.mark.parametrize(
    ("tracker", "recipe", "changes", "densities"),
    [
        ("superdimp", "b1", {}, True),
        ("superdimp", "b1", {"losses": "paper"}, True),
        ("superdimp", "b2", {"losses": "features"}, True),
        ("superdimp", "b1", {"bbe_loss": "iou"}, False),
        ("superdimp", "c1", {"bbe_loss": "iou"}, True),
        ("dimp18", "b1", {}, False),
        ("dimp18", "b1", {"losses": "paper"}, False),
        ("dimp18", "b1", {"bbe_loss": "kl"}, True),
    ],
)
def test_a_box_branch_gives_what_it_was_last_taught(
    tracker: str, recipe: str, changes: dict[str, Any], densities: bool
) -> None:
    """Eq. 3 and the comparison of features teach the layers that score boxes nothing."""
    assert gives_densities(make_settings({"recipe": recipe, "tracker": tracker} | changes)) is densities


def test_a_row_that_trains_on_templates_of_other_scenes_is_asked_what_one_without_is(tmp_path: Path) -> None:
    shards, keys = write_world(tmp_path, tracked(sequences=6, frames=4)), set()
    for recipe, other_scenes in (("b1", False), ("c1", True)):
        settings = make_settings({"recipe": recipe, "tracker": "nanotrack_v2", "held_out": 0.4})
        data = open_training_data(settings, resolve_row(settings), [shards])
        assert (data.spec.foreign > 0) == other_scenes
        keys.add(HeldOutTest(data, 4, torch.device("cpu")).key)
    assert len(keys) == 1


def test_each_picture_goes_through_the_network_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four ways of feeding show the two modalities of both branches."""
    small_windows(monkeypatch)
    settings = make_settings({"recipe": "d3", "tracker": "dimp18", "held_out": 0.4})
    shards = write_world(tmp_path, tracked(sequences=6, frames=4))
    test = HeldOutTest(open_training_data(settings, resolve_row(settings), [shards]), 4, torch.device("cpu"))
    net, passed = build_network("dimp18").eval(), {"window_features": 0, "classification_features": 0}

    def counted(name: str) -> Any:
        made = getattr(DimpNet, name)

        def noted(network: DimpNet, given: Any) -> Any:
            passed[name] += len(given if name == "window_features" else given["layer3"])
            return made(network, given)

        return noted

    for name in passed:
        monkeypatch.setattr(DimpNet, name, counted(name))
    scores, _ = test.measure(net, Backbone(net), list(test.ways), "")
    assert len(scores["student"]) == 4
    assert passed == {"window_features": 2 * 2 * 4, "classification_features": 2 * 2 * 4}
