"""Runs whose frozen backbone runs once a window: the same bytes as without, and what of it is shared and told."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from trainer import train
from trainer.checkpoints.run_folder import METRICS, MODEL, RUN, STATE, VALIDATION
from trainer.net import DimpNet
from trainer.recipes.settings import configure
from trainer.train import loop
from trainer.train.dry_run import dry_run
from trainer.train.session import prepare

from ..train_world import settings

pytestmark = pytest.mark.usefixtures("small_training")
MADE = (MODEL, METRICS, VALIDATION, STATE)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Windows that a backbone has computed; runs look at one more, to see how large its features are."""
    seen: list[int] = []
    shown = DimpNet.images
    monkeypatch.setattr(DimpNet, "images", lambda net, given: (seen.append(len(given)), shown(net, given))[1])
    return seen


def run(world: Path, out: Path, computed: list[int], **changes: Any) -> tuple[dict[str, bytes], int]:
    """The bytes of what a run made, and of how many windows it computed features."""
    computed.clear()
    options = {"held_out_samples": 2, "rates": {"tcl": 1e-4}} | changes
    loop.train_row(settings(world, out, **options))
    return {name: (out / name).read_bytes() for name in MADE}, sum(computed) - 1


@pytest.mark.slow
def test_a_run_makes_the_same_bytes_with_misses_with_hits_and_without_a_cache(
    world: Path, tmp_path: Path, computed: list[int]
) -> None:
    plain, all_of_them = run(world, tmp_path / "plain", computed, feature_gib=0)
    cold, once = run(world, tmp_path / "cold", computed, feature_cache=tmp_path / "cache")
    warm, none = run(world, tmp_path / "warm", computed, feature_cache=tmp_path / "cache")
    assert plain == cold == warm
    assert all_of_them > once > none == 0
    assert once == len(list((tmp_path / "cache").glob("*/*")))


@pytest.mark.slow
def test_rows_share_what_both_are_fed(world: Path, tmp_path: Path, computed: list[int]) -> None:
    """The windows of b1 and c1 are the same; the RGB control of c1 has its test windows."""
    fed = {"feature_cache": tmp_path / "cache", "held_out_samples": 0, "epochs": 1}
    _, first = run(world, tmp_path / "c1", computed, **fed)
    rates = {"bbe": 1e-4}
    _, second = run(world, tmp_path / "b1", computed, recipe="b1", **fed | {"rates": rates})
    _, control = run(world, tmp_path / "rgb", computed, feed="rgb-rgb", **fed)
    assert (first, second, control) == (4, 0, 2)


@pytest.mark.slow
def test_windows_that_come_again_are_computed_once_in_a_run(world: Path, tmp_path: Path, computed: list[int]) -> None:
    fed = {"held_out_samples": 0, "epochs": 3}
    anew, drawn = run(world, tmp_path / "anew", computed, **fed)
    again, once = run(world, tmp_path / "again", computed, **fed, redraw=False)
    plain, thrice = run(world, tmp_path / "plain", computed, **fed, redraw=False, feature_gib=0)
    assert (drawn, once, thrice) == (12, 4, 12)
    assert again == plain
    assert again[MODEL] != anew[MODEL]
    told = [json.loads((tmp_path / name / RUN).read_text())["settings"] for name in ("anew", "again", "plain")]
    assert [each.get("redraw") for each in told] == [None, False, False]
    assert not [key for each in told[:2] for key in each if key.startswith("feature")]


@pytest.mark.slow
def test_what_does_not_fit_is_computed_again_with_the_same_result(
    world: Path, tmp_path: Path, computed: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    fed = {"held_out_samples": 0, "epochs": 3, "redraw": False}
    whole, _ = run(world, tmp_path / "whole", computed, **fed)
    window = 4 * (128 * 18 * 18 + 256 * 9 * 9)
    caplog.clear()
    part, some = run(world, tmp_path / "part", computed, **fed, feature_gib=2.5 * window / 2**30)
    assert part == whole
    assert some == 4 + 2 * 2
    assert len([message for message in caplog.messages if "memory is full" in message]) == 1


def test_a_damaged_entry_changes_nothing_and_is_told(
    world: Path, tmp_path: Path, computed: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    fed = {"feature_cache": tmp_path / "cache", "held_out_samples": 0}
    whole, _ = run(world, tmp_path / "whole", computed, **fed)
    entries = sorted((tmp_path / "cache").glob("*/*"))
    entries[0].write_bytes(entries[0].read_bytes()[:-4])
    entries[1].write_bytes(entries[0].read_bytes())
    mended, again = run(world, tmp_path / "mended", computed, **fed)
    assert (mended, again) == (whole, 2)
    assert caplog.text.count("damaged: computed again") == 2
    assert run(world, tmp_path / "after", computed, **fed)[1] == 0


@pytest.mark.slow
def test_float16_gives_one_result_with_and_without_a_cache_and_is_no_other_run_s(
    world: Path, tmp_path: Path, computed: list[int]
) -> None:
    half = {"feature_type": "float16", "epochs": 1}
    plain, _ = run(world, tmp_path / "plain", computed, **half, feature_gib=0)
    cold, _ = run(world, tmp_path / "cold", computed, **half, feature_cache=tmp_path / "cache")
    warm, none = run(world, tmp_path / "warm", computed, **half, feature_cache=tmp_path / "cache")
    assert plain == cold == warm
    assert none == 0
    assert plain[MODEL] != run(world, tmp_path / "exact", computed, epochs=1)[0][MODEL]
    with pytest.raises(UsageError, match="feature_type: float16 -> float32"):
        run(world, tmp_path / "plain", computed)


def test_the_start_tells_how_large_features_are_and_what_fits(
    world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        loop.train_row(settings(world, tmp_path / "run", epochs=1, feature_cache=tmp_path / "cache", feature_gib=1))
    assert f"features of the frozen backbone: 249 kB a window in float32; {tmp_path / 'cache'} has room" in caplog.text


def test_a_dry_run_tells_the_size_and_writes_nothing(world: Path, tmp_path: Path) -> None:
    made = dry_run(settings(world, tmp_path / "run", feature_cache=tmp_path / "cache", dry_run=True))
    assert ("features", "249 kB a window in float32") in made.rows()
    assert not list(tmp_path.iterdir())


def test_psi_is_fitted_on_windows_that_the_row_is_trained_on(world: Path, tmp_path: Path, computed: list[int]) -> None:
    """Those of the first epoch in RGB: the control of c1 needs none beside them."""
    fed = {"losses": "paper", "head_steps": 1, "held_out_samples": 0, "epochs": 1, "recipe": "b1"}
    fed |= {"rates": {"bbe": 1e-4}, "feature_cache": tmp_path / "cache", "feed": "rgb-rgb"}
    assert run(world, tmp_path / "run", computed, **fed)[1] == 4


@pytest.mark.slow
def test_nanotrack_keeps_its_one_map_of_templates_and_search_windows(world: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"tracker": "nanotrack_v2", "rates": {"tcl": 1e-4}, "held_out_samples": 2}
    made = {}
    for name, cache in (("plain", None), ("cold", tmp_path / "cache"), ("warm", tmp_path / "cache")):
        loop.train_row(settings(world, tmp_path / name, **given, feature_cache=cache))
        made[name] = [(tmp_path / name / file).read_bytes() for file in MADE]
    assert made["plain"] == made["cold"] == made["warm"]
    sizes = [path.stat().st_size for path in (tmp_path / "cache").glob("*/*")]
    assert set(sizes) == {16 + 4 * 48 * cells**2 for cells in (8, 16)}
    # Of four draws a template and a search window each; of two held-out draws those, and those of the test.
    assert len(sizes) >= 8


@pytest.mark.parametrize("setting", ["feature_cache=x", "feature_gib=1", "feature_type=float16"])
def test_a_backbone_that_learns_has_nothing_to_keep(tmp_path: Path, setting: str) -> None:
    given = {"recipe": "pretrain", "tracker": "dimp18", "out": tmp_path / "x"}
    with pytest.raises(UsageError, match="has no effect here, it is for rows whose backbone is frozen"):
        train.run(configure(given, (setting,)))


@pytest.mark.slow
def test_heads_that_are_trained_on_a_frozen_backbone_keep_its_features(world: Path, tmp_path: Path) -> None:
    given = {"recipe": "pretrain", "backbone": "frozen", "images": 1, "batch_size": 8, "samples_per_epoch": 8}
    made = [settings(world, tmp_path / name, **given, epochs=2, redraw=False, feature_gib=gib)
            for name, gib in (("a", None), ("b", 0))]  # fmt: skip
    for each in made:
        loop.train_row(each)
    assert (tmp_path / "a" / MODEL).read_bytes() == (tmp_path / "b" / MODEL).read_bytes()
    assert prepare(made[0]).row.learns_statistics
