"""Tracker parameters as people type them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.errors import UsageError
from trainer.track_settings import TrackConfig, parse_params


def test_values_get_the_types_of_their_parameters() -> None:
    words = ["iounet_k=1", "use_iou_net=false", "learning_rate=1e-3", "border_mode=inside", "scale_factors=[1, 1.05]"]
    assert parse_params("dimp50", [*words, "patch_max_scale_change=null", "uncertain_threshold=-Infinity"]) == {
        "iounet_k": 1,
        "use_iou_net": False,
        "learning_rate": 1e-3,
        "border_mode": "inside",
        "scale_factors": [1, 1.05],
        "patch_max_scale_change": None,
        "uncertain_threshold": float("-inf"),
    }
    assert parse_params("atom", ["CG_iter=3"]) == {"CG_iter": 3}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("iounet_k", "--set iounet_k: expected param=value"),
        ("iounet_l=1", "did you mean iounet_k"),
        ("CG_iter=3", "dimp18 has no parameter 'CG_iter'"),
        ("iounet_k=many", "--set iounet_k=many: Input should be a valid integer"),
        ("iounet_k=0", "give a positive number"),
        ("border_mode=outside", "--set border_mode=outside: Input should be 'replicate'"),
        ('scale_factors=[1, "a"]', "--set scale_factors=[1, 'a']: Input should be a valid number"),
        ("use_iou_net=[]", "--set use_iou_net=[]: Input should be a valid boolean"),
    ],
)
def test_what_does_not_fit_is_named(word: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_params("dimp18", [word])
    assert said in str(error.value)


def test_a_range_runs_from_low_to_high() -> None:
    with pytest.raises(ValidationError, match="LOW,HIGH"):
        TrackConfig.model_validate({"weights": "w", "dataset": "d", "root": "r", "out": "o", "tir_range": (2, 1)})
