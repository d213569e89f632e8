"""A folder of shards as a notebook reads it: its pairs and patches, in order, each when it is asked for."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.labels import box_state
from pipeline.records import AlignedPair, read_rows
from pipeline.shards import Shards, open_shards
from pipeline.shards.reader import ShardReader

from ...conftest import SIZE, Data, Run, done


@pytest.fixture
def shards(mined: dict[str, Path]) -> Shards:
    """Two files: four pairs and two, two patches a pair."""
    return open_shards(str(mined["detection"]))


def test_pairs_are_those_that_were_aligned(shards: Shards, mined: dict[str, Path]) -> None:
    rows = {row.pair_id: row for row in read_rows(mined["aligned"] / "aligned.jsonl", AlignedPair)}
    assert len(shards.pairs) == 6
    assert [pair.pair_id for pair in shards.pairs] == sorted(rows)
    for pair in shards.pairs:
        assert pair.rgb.shape == (SIZE[1], SIZE[0], 3)
        assert pair.tir.shape == (SIZE[1], SIZE[0])
        assert pair.rgb.dtype == pair.tir.dtype == np.uint8
        assert pair.homography.ravel().tolist() == list(rows[pair.pair_id].homography)
        assert pair.valid.shape == (4, 2)


def test_patches_know_their_pair_and_their_box(shards: Shards, mined: dict[str, Path]) -> None:
    assert len(shards.patches) == shards.index.totals["patches"] == 12
    assert [patch.pair for patch in shards.patches] == [number // 2 for number in range(12)]
    files = [ShardReader(path) for path in sorted(mined["detection"].glob("*.h5"))]
    expected, tight = (np.concatenate([file.array(f"patches/{name}") for file in files]) for name in ("box", "rgb"))
    for patch, box, rgb in zip(shards.patches, expected, tight, strict=True):
        assert np.array_equal(patch.box, box)
        assert np.array_equal(patch.state, box_state(box))
        assert (patch.label.shape, patch.score) == ((19, 19), 1.0)
        assert patch.category in (0, 2)
        assert np.array_equal(patch.rgb, rgb)
        assert patch.tir is not None
        assert patch.tir.shape == (100, 100)


def test_rows_are_numbered_as_in_any_sequence(shards: Shards) -> None:
    assert shards.pairs[-1].pair_id == shards.pairs[5].pair_id == "seq1/5"
    assert [pair.pair_id for pair in shards.pairs[3:5]] == ["seq1/1", "seq1/3"]
    for number in (6, -7):
        with pytest.raises(IndexError):
            shards.pairs[number]


def test_it_crosses_a_process_border_and_opens_again_after_it_was_closed(shards: Shards) -> None:
    first = shards.pairs[4].rgb
    shards.close()
    assert np.array_equal(shards.pairs[4].rgb, first)
    assert np.array_equal(pickle.loads(pickle.dumps(shards)).pairs[4].rgb, first)


def test_patches_that_were_left_out_are_none(data: Data, prep: Run) -> None:
    words = ("--method", "center", "--patch-size", 0, "--out", data.root / "s")
    done(prep("mine", "--aligned", data.aligned, *words))
    patch = open_shards(data.root / "s").patches[0]
    assert (patch.rgb, patch.tir, patch.score, patch.category) == (None, None, 1.0, -1)


def test_what_is_no_folder_of_shards_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no index\.json: give a folder that `cmd-prep mine` wrote"):
        open_shards(tmp_path)
