"""Parameters by the names of pytracking's parameter files, with the values that those give them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from trainer.trackers.parameters.defaults import defaults_of, resolve
from trainer.trackers.parameters.params import AtomParams, DimpParams
from trainer.trackers.parameters.pytracking_names import INERT, REFUSED
from trainer.trackers.parameters.values import Augmentation

SHIFTS = [(0.6, 0.6), (-0.6, 0.6), (0.6, -0.6), (-0.6, -0.6)]
BOTH: dict[str, Any] = {
    "advanced_localization": True,
    "augmentation_expansion_factor": 2,
    "box_jitter_pos": 0.1,
    "box_jitter_sz": 0.5,
    "box_refinement_iter": 5,
    "box_refinement_step_decay": 1,
    "box_refinement_step_length": 1,
    "dispalcement_scale": 0.8,
    "distractor_threshold": 0.8,
    "hard_negative_learning_rate": 0.02,
    "hard_negative_threshold": 0.5,
    "init_samples_minimum_weight": 0.25,
    "iounet_augmentation": False,
    "iounet_k": 3,
    "learning_rate": 0.01,
    "maximal_aspect_ratio": 6,
    "num_init_random_boxes": 9,
    "random_shift_factor": 1 / 3,
    "search_area_scale": 5,
    "target_neighborhood_scale": 2.2,
    "target_not_found_threshold": 0.25,
    "update_scale_when_uncertain": True,
    "use_augmentation": True,
    "window_output": False,
}
DIMP = BOTH | {
    "augmentation": {
        "fliplr": True,
        "rotate": [10, -10, 45, -45],
        "blur": [(3, 1), (1, 3), (2, 2)],
        "relativeshift": SHIFTS,
        "dropout": (2, 0.2),
    },
    "image_sample_size": 288,
    "net_opt_hn_iter": 1,
    "net_opt_iter": 10,
    "net_opt_update_iter": 2,
    "sample_memory_size": 50,
    "train_skipping": 20,
    "update_classifier": True,
}
ATOM = BOTH | {
    "CG_forgetting_rate": None,
    "CG_iter": 5,
    "augmentation": {
        "fliplr": True,
        "rotate": [5, -5, 10, -10, 20, -20, 30, -30, 45, -45, -60, 60],
        "blur": [(2, 0.2), (0.2, 2), (3, 1), (1, 3), (2, 2)],
        "relativeshift": SHIFTS,
        "dropout": (7, 0.2),
    },
    "compressed_dim": 64,
    "feature_size_odd": False,
    "filter_init_method": "randn",
    "filter_reg": 0.1,
    "fletcher_reeves": False,
    "hard_negative_CG_iter": 5,
    "init_CG_iter": 60,
    "init_GN_iter": 6,
    "kernel_size": (4, 4),
    "max_image_sample_size": 288**2,
    "min_image_sample_size": 288**2,
    "output_sigma_factor": 1 / 4,
    "post_init_CG_iter": 0,
    "proj_init_method": "randn",
    "projection_activation": "none",
    "projection_reg": 1e-4,
    "response_activation": ("mlu", 0.05),
    "sample_memory_size": 250,
    "scale_factors": torch.ones(1),
    "score_upsample_factor": 1,
    "train_skipping": 10,
    "update_projection_matrix": True,
    "use_iou_net": True,
}
SUPER = DIMP | {
    "border_mode": "inside_major",
    "box_refinement_iter": 10,
    "box_refinement_space": "relative",
    "box_refinement_step_length": 2.5e-3,
    "image_sample_size": 352,
    "patch_max_scale_change": 1.5,
    "search_area_scale": 6,
}
FILES = {"dimp18": DIMP, "dimp50": DIMP, "superdimp": SUPER, "atom": ATOM}
"""What dimp/dimp18, dimp/dimp50, dimp/super_dimp and atom/default set that decides a box."""
SWITCHES: dict[str, Any] = {"debug": 0, "use_gpu": True, "visualization": False}
EFFECTLESS: dict[str, dict[str, Any]] = {
    "dimp18": SWITCHES | {"iounet_use_log_scale": True, "vot_anno_conversion_type": "preserve_area"},
    "dimp50": SWITCHES | {"iounet_use_log_scale": True, "vot_anno_conversion_type": "preserve_area"},
    "superdimp": SWITCHES | {"vot_anno_conversion_type": "preserve_area"},
    "atom": SWITCHES | {"feature_window": False, "standard_alpha": True},
}
"""What they set besides."""
NETWORKS = {"dimp18": "net", "dimp50": "net", "superdimp": "net", "atom": "features"}


@pytest.mark.parametrize("tracker", sorted(FILES))
def test_a_parameter_file_is_taken_whole_and_says_what_the_defaults_are(tracker: str) -> None:
    assert resolve(tracker, FILES[tracker] | EFFECTLESS[tracker]) == defaults_of(tracker)
    known = {each.name for each in fields(defaults_of(tracker))}
    assert FILES[tracker].keys() <= known
    assert not EFFECTLESS[tracker].keys() & known


@pytest.mark.parametrize(("tracker", "name"), [(tracker, name) for tracker in FILES for name in FILES[tracker]])
def test_no_parameter_of_a_file_is_passed_over(tracker: str, name: str) -> None:
    default = getattr(defaults_of(tracker), name)
    other = next(
        value
        for value in (not default if isinstance(default, bool) else 7, "pca", "zeros", "elu", "inside", "default",
                      (7, 7), (0.5, 0.7), 70, 7000, 0.7, 0, {"fliplr": False})
        if value != default and _fits(tracker, name, value)
    )  # fmt: skip
    changed = resolve(tracker, {name: other})
    assert changed != defaults_of(tracker)
    assert getattr(changed, name) == (Augmentation() if name == "augmentation" else other)


def _fits(tracker: str, name: str, value: object) -> bool:
    try:
        resolve(tracker, {name: value})
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("tracker", "name"), sorted(NETWORKS.items()))
def test_networks_are_refused_with_what_gives_them(tracker: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"{tracker}: parameter '{name}' .* is that of the weights"):
        resolve(tracker, {name: "network"})


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_other_names_that_pytracking_knows_are_refused_with_a_reason(name: str) -> None:
    for tracker in FILES:
        with pytest.raises(ValueError, match=r"is not supported: \w") as error:
            resolve(tracker, {name: 1})
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", sorted(INERT))
def test_names_without_effect_are_accepted(name: str) -> None:
    assert resolve("dimp18", {name: 1}) == defaults_of("dimp18")


def test_the_kinds_of_names_are_apart() -> None:
    known = {each.name for kind in (DimpParams, AtomParams) for each in fields(kind)}
    assert not REFUSED.keys() & (known | INERT)
    assert known & INERT == {"feature_size_odd"}


def test_an_override_changes_that_alone() -> None:
    changed = resolve("dimp50", {"learning_rate": 0.5})
    assert changed.learning_rate == 0.5
    assert resolve("dimp50", {}).learning_rate == 0.01


@pytest.mark.parametrize("given", [[0.5, 1], (0.5, 1), np.array([0.5, 1]), torch.tensor([0.5, 1])])
def test_lists_may_be_arrays(given: object) -> None:
    assert resolve("atom", {"scale_factors": given}).scale_factors == (0.5, 1)


@pytest.mark.parametrize(
    ("tracker", "overrides", "told"),
    [
        ("dimp51", {}, "'dimp51'.*dimp50"),
        ("dimp50", {"iounet_q": 1}, "no parameter 'iounet_q': did you mean iounet_k"),
        ("dimp50", {"CG_iter": 1}, "dimp50 has no parameter 'CG_iter'"),
        ("atom", {"net_opt_iter": 1}, "atom has no parameter 'net_opt_iter'"),
        ("superdimp", {"border_mode": "mirror"}, "border_mode is 'mirror': Input should be 'replicate'"),
        ("dimp18", {"train_skipping": 0}, "train_skipping is 0: .*greater than or equal to 1"),
        ("dimp18", {"learning_rate": 3}, "learning_rate is 3: .*less than or equal to 1"),
        ("dimp18", {"score_filter_ksz": 2}, "score_filter_ksz is 2: give an odd number"),
        ("dimp18", {"image_sample_size": 32}, "image_sample_size is 32: .*64"),
        ("dimp18", {"augmentation": {"shear": [1]}}, "shear: Unexpected"),
        ("dimp18", {"augmentation": {"rotate": 5}}, "rotate: "),
        ("dimp18", {"augmentation": {"dropout": [2]}}, "dropout: "),
        ("dimp18", {"scale_factors": []}, "scale_factors is .*at least 1"),
        ("dimp18", {"scale_factors": [0]}, "scale_factors is .*greater than 0"),
        ("dimp18", {"box_refinement_step_length": [1, 2, 3]}, "a valid number or Tuple should have at most 2"),
        ("atom", {"response_activation": "tanh"}, "'none', 'relu' or 'elu' or"),
        ("atom", {"kernel_size": 4}, "kernel_size is 4"),
        ("atom", {"init_GN_iter": 0}, "init_GN_iter is 0"),
        ("atom", {"compressed_dim": 0}, "compressed_dim is 0"),
        ("atom", {"max_image_sample_size": 100}, "max_image_sample_size is 100"),
        ("atom", {"score_upsample_factor": 0}, "score_upsample_factor is 0"),
        ("atom", {"maximal_aspect_ratio": float("nan")}, "maximal_aspect_ratio is nan"),
    ],
)
def test_mistakes_are_named(tracker: str, overrides: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        resolve(tracker, overrides)
