"""Parameters by name."""

from __future__ import annotations

import pytest

from trainer.tracking.defaults import DEFAULTS, INERT, resolve


def test_the_trackers_differ_where_they_should() -> None:
    assert DEFAULTS["dimp18"] == DEFAULTS["dimp50"]
    superdimp = resolve("superdimp", {})
    assert (superdimp.box_refinement_space, superdimp.box_refinement_iter) == ("relative", 10)
    assert resolve("atom", {}).sample_memory_size == 250


def test_an_override_changes_that_alone() -> None:
    changed = resolve("dimp50", {"learning_rate": 0.5})
    assert changed.learning_rate == 0.5
    assert resolve("dimp50", {}).learning_rate == 0.01


@pytest.mark.parametrize("name", sorted(INERT))
def test_names_without_effect_are_accepted(name: str) -> None:
    assert resolve("dimp18", {name: 1}) == DEFAULTS["dimp18"]


@pytest.mark.parametrize(
    ("tracker", "overrides", "told"),
    [
        ("dimp51", {}, "'dimp51'.*dimp50"),
        ("dimp50", {"iounet_q": 1}, "no parameter 'iounet_q': did you mean iounet_k"),
        ("dimp50", {"CG_iter": 1}, "dimp50 has no parameter 'CG_iter'"),
        ("atom", {"net_opt_iter": 1}, "atom has no parameter 'net_opt_iter'"),
        ("superdimp", {"border_mode": "mirror"}, "border_mode is 'mirror': choose one of replicate"),
        ("dimp18", {"train_skipping": 0}, "train_skipping is 0: give a positive"),
        ("dimp18", {"augmentation": {"shear": [1]}}, "augmentation shear"),
    ],
)
def test_mistakes_are_named(tracker: str, overrides: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        resolve(tracker, overrides)
