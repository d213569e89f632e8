"""Files that are not those that were aligned: rows say which these were."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from pipeline import images
from pipeline.files import sightings
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


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("least", "count"), [(-1.0, 12), (1e9, 0)])
def test_align_leaves_what_it_saw_of_the_files_that_had_been_left_alone(
    tree: Path, prep: Run, monkeypatch: pytest.MonkeyPatch, least: float, count: int
) -> None:
    monkeypatch.setattr(sightings, "SETTLED_S", least)
    done(prep("align", "--root", tree, "--out", tree.parent / "out", "--layout", "kaist"))
    seen = sightings.load(tree.parent / "out/seen.npy")
    assert len(seen) == count
    for row in read_rows(tree.parent / "out/aligned.jsonl", AlignedPair):
        for path in (tree / row.rgb, tree / row.tir):
            assert (sightings.sighting(path.stat(), sha256(path)) in seen) == (count > 0)


@pytest.mark.parametrize("patch_size", [0, 100])
def test_a_file_as_it_was_seen_is_not_hashed_again_and_one_that_changed_in_the_dark_is_refused(
    data: Data, prep: Run, monkeypatch: pytest.MonkeyPatch, patch_size: int
) -> None:
    files = [data.root / path for row in hashed(data).rows for path in (row.rgb, row.tir)]
    sightings.save(data.aligned / "seen.npy", [sightings.sighting(path.stat(), sha256(path)) for path in files])
    asked: list[bytes] = []
    monkeypatch.setattr(pictures, "bytes_sha256", lambda data: asked.append(data) or hashlib.sha256(data).hexdigest())

    def mine(name: str) -> list[str]:
        out = data.root.parent / name
        done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", out, "--patch-size", patch_size))
        return [row.pair_id for row in read_rows(out / "rejects.jsonl", Reject)]

    assert (mine("before"), asked) == ([], [])
    changed = data.root / data.rows[2].rgb
    then = changed.stat()
    time.sleep(0.05)
    with changed.open("r+b") as file:
        file.seek(-20, os.SEEK_END)
        file.write(b"\0")
    os.utime(changed, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert (mine("after"), asked) == (["seq0/2"], [changed.read_bytes()])


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
