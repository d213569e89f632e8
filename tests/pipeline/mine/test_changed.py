"""Files that are not those that were aligned: rows say which these were."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline import images
from pipeline.mine.pairs import pictures
from pipeline.records import AlignedPair, Reject, read_rows

from ...conftest import Data, Run, done, draw_pair


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hashed(data: Data) -> Data:
    """With the hashes that ``align`` writes today."""
    sides = ("rgb", "tir")
    found = [{f"{side}_sha256": sha256(data.root / getattr(row, side)) for side in sides} for row in data.rows]
    data.rewrite([row.model_copy(update=hashes) for row, hashes in zip(data.rows, found)])
    return data


@pytest.mark.usefixtures("registered")
def test_align_writes_the_hashes_of_both_files(tree: Path, prep: Run) -> None:
    done(prep("align", "--root", tree, "--out", tree.parent / "out", "--layout", "kaist"))
    rows = list(read_rows(tree.parent / "out/aligned.jsonl", AlignedPair))
    assert len(rows) == 6
    for row in rows:
        assert (row.rgb_sha256, row.tir_sha256) == (sha256(tree / row.rgb), sha256(tree / row.tir))


@pytest.mark.parametrize("patch_size", [0, 100])
@pytest.mark.parametrize("side", ["rgb", "tir"])
def test_a_file_that_changed_is_a_reject_of_its_own_and_the_rest_is_mined(
    data: Data, prep: Run, side: str, patch_size: int
) -> None:
    path = hashed(data).root / getattr(data.rows[2], side)
    rgb, tir = draw_pair(77)
    path.write_bytes(images.encode(rgb if side == "rgb" else tir, path.suffix))
    out = data.root.parent / "shards"
    done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", out, "--patch-size", patch_size))
    (row,) = read_rows(out / "rejects.jsonl", Reject)
    assert (row.pair_id, row.reason) == ("seq0/2", "changed")
    assert row.detail == (
        f"{getattr(data.rows[2], side)}: is another file now than when it was aligned: restore it, or align again"
    )


def test_with_and_without_hashes_the_shards_are_the_same(data: Data, prep: Run) -> None:
    def shard(name: str) -> bytes:
        out = data.root.parent / name
        done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", out))
        return (out / "shard-00000.h5").read_bytes()

    without = shard("without")
    hashed(data)
    assert shard("with") == without


def test_what_was_looked_through_is_not_looked_through_again(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed(data)
    row = next(read_rows(data.aligned / "aligned.jsonl", AlignedPair))
    for name in ("check", "check_tir", "refuse_false_colours"):
        monkeypatch.setattr(images, name, lambda *what: pytest.fail("it was looked through again"))
    assert pictures.rgb(row, (data.root / row.rgb).read_bytes(), needed=False) is None
    tir = pictures.tir(row, (data.root / row.tir).read_bytes(), needed=True)
    assert tir is not None
    assert tir.shape == (128, 160)
