"""Tracker parameters as people type them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.errors import UsageError
from trainer.track.settings import TrackConfig, parse_params


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
        ("net=a.pth", "'net' of pytracking is not supported: the network is that of the weights"),
        ("CG_iter=3", "dimp18 has no parameter 'CG_iter'"),
        ("iounet_k=many", "--set: dimp18: iounet_k is 'many': Input should be a valid integer"),
        ("iounet_k=0", "iounet_k is 0: Input should be greater than or equal to 1"),
        ("border_mode=outside", "border_mode is 'outside': Input should be 'replicate'"),
        ('scale_factors=[1, "a"]', "scale_factors is [1, 'a']: Input should be a valid number"),
        ("use_iou_net=[]", "use_iou_net is []: Input should be a valid boolean"),
    ],
)
def test_what_does_not_fit_is_named(word: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_params("dimp18", [word])
    assert said in str(error.value)


def test_a_range_runs_from_low_to_high() -> None:
    with pytest.raises(ValidationError, match="LOW,HIGH"):
        TrackConfig.model_validate({"weights": "w", "dataset": "d", "root": "r", "out": "o", "tir_range": (2, 1)})
