"""`cmd-prep align` on pictures that decode but cannot be worked on: each is a reject, and the run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline import images
from pipeline.align import chunk
from pipeline.records import AlignedPair, Reject, read_rows

from ...conftest import SIZE, Run, done, draw_pair

ODD = "set00/V000/I00001"


def align(prep: Run, root: Path, *words: object) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """Ids that were kept, and reason and detail of those that were not."""
    out = root.parent / "out"
    done(prep("align", "--root", root, "--out", out, "--layout", "kaist", "--min-score", 0.001, *words))
    kept = [row.pair_id for row in read_rows(out / "aligned.jsonl", AlignedPair)]
    return kept, {row.pair_id: (row.reason, row.detail) for row in read_rows(out / "rejects.jsonl", Reject)}


@pytest.mark.parametrize("estimate", ["pair", "sequence"])
@pytest.mark.parametrize(
    ("side", "size", "reason", "fault"),
    [
        ("visible", (SIZE[0], 1), "too_small", "visible picture is 160x1 pixels"),
        ("lwir", (1, SIZE[1]), "too_small", "thermal picture is 1x128 pixels"),
        ("visible", (SIZE[0], 3), "size_mismatch", "do not match when stretched"),
    ],
)
def test_a_picture_of_few_rows_or_columns_is_a_reject(
    tree: Path, prep: Run, estimate: str, side: str, size: tuple[int, int], reason: str, fault: str
) -> None:
    picture = draw_pair(5)[side == "lwir"]
    path = tree / f"set00/V000/{side}/I00001.jpg"
    path.write_bytes(images.encode(np.ascontiguousarray(picture[: size[1], : size[0]]), ".jpg"))
    kept, rejects = align(prep, tree, "--estimate", estimate)
    assert list(rejects) == [ODD]
    assert rejects[ODD][0] == reason
    assert fault in rejects[ODD][1]
    assert len(kept) == 5


@pytest.mark.parametrize("known", [False, True])
def test_pictures_that_opencv_refuses_are_a_reject_that_names_them(
    tree: Path, prep: Run, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """Whatever the reason is: here a side that would vanish when halved."""
    words: tuple[object, ...] = ()
    work = chunk._apply if known else chunk._align_pair
    if known:
        matrices = tree.parent / "known.json"
        matrices.write_text('{"cameras": {"set00/V000": {"homography": [1, 0, 0, 0, 1, 0, 0, 0, 1]}}}')
        words = ("--homographies", matrices, "--min-score", 0)

    def refuse(task: Any, pair: Any, *rest: Any) -> Any:
        if pair.pair_id == ODD:
            cv2.resize(np.zeros((1, 9), np.uint8), None, fx=0.5, fy=0.5)
        return work(task, pair, *rest)

    monkeypatch.setattr(chunk, work.__name__, refuse)
    kept, rejects = align(prep, tree, *words)
    assert len(kept) == 5
    assert list(rejects) == [ODD]
    reason, detail = rejects[ODD]
    assert reason == "decode"
    named = "set00/V000/visible/I00001.jpg, set00/V000/lwir/I00001.jpg"
    assert detail == f"{named}: OpenCV cannot work on it: !dsize.empty()"
