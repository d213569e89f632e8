"""The pictures of the align report: which pairs are drawn, and how arrows fall."""

from __future__ import annotations

import base64
import json

import numpy as np

from pipeline import images
from pipeline.align import page as align_page
from pipeline.align import pair_strips
from pipeline.boxes import footprint
from pipeline.pages import drawing
from pipeline.pages.html import Change
from pipeline.records import Reject, write_rows

from ...conftest import Data


def drawn(uri: str) -> np.ndarray:
    return images.decode_rgb(base64.b64decode(uri.split(",")[1]), "picture of the page")


def test_each_sequence_is_represented_by_its_pair_of_median_score() -> None:
    names = ["b", "a", "b", "a", "b", "c"]
    scores = np.array([0.9, 0.2, 0.1, 0.8, 0.5, 0.3])
    assert pair_strips.representatives(scores, names, 40) == [4, 3, 5]
    assert pair_strips.representatives(scores, names, 2) == [4, 5]
    assert pair_strips.representatives(np.zeros(0), [], 40) == []


def test_an_arrow_starts_at_its_block_and_runs_its_way_magnified() -> None:
    black = np.zeros((120, 160, 3), np.uint8)
    lit = drawing.arrows(black, [[40, 60], [100, 20]], [[5, 0], [0, 9]], [1.0, 0.1], magnify=8)[..., 0]
    rows, columns = np.nonzero(lit > 100)
    assert abs(columns.max() - 80) <= 1
    assert abs(columns.min() - 40) <= 3
    assert np.abs(rows - 60).max() <= 3, "the second arrow is too uncertain to be drawn"
    assert black.max() == 0


def test_the_page_shows_every_sequence_with_its_residual_and_every_camera(data: Data) -> None:
    path = data.aligned / "align.json"
    camera = {"model": "homography", "trusted": False, "split": 7.25, "pairs": 3, "drift": None, "moved": 0}
    summary = json.loads(path.read_text()) | {"cameras": {"<rig>": camera | {"moved_from": None}}}
    path.write_text(json.dumps(summary))
    page = align_page.build(data.aligned, None, 6)
    assert page.count("residual, 8 times as long") == 2 * 2, "caption and alternative text"
    assert "2 of 2 sequences" in page
    assert "&lt;rig&gt;" in page
    assert "7.2" in page


def test_a_picture_that_has_gone_is_said_to_have_gone(data: Data) -> None:
    write_rows(data.aligned / "aligned.jsonl", data.rows[:1])
    (data.root / data.rows[0].rgb).unlink()
    (strip,) = pair_strips.strips(data.root, data.rows[:1], residual=True)
    assert "cannot be drawn" in strip.title
    assert not strip.pictures


def test_before_and_after_have_every_pixel_and_the_corners_are_theirs(data: Data) -> None:
    (strip,) = pair_strips.strips(data.root, data.rows[2:3])
    changes = [picture for picture in strip.pictures if isinstance(picture, Change)]
    assert [change.caption for change in changes] == ["checkerboard", "edges", "edges at the corners"]
    width, height = data.rows[2].rgb_size
    for change in changes[:2]:
        before, after = (drawn(uri) for uri in (change.before, change.after))
        assert before.shape == after.shape == (height, width, 3)
        assert np.abs(before.astype(int) - after).max() > 50, "six pixels are moved"
    quad = footprint(np.array(data.rows[2].homography).reshape(3, 3), *data.rows[2].tir_size)
    for name in ("before", "after"):
        corners, edges = (drawn(getattr(change, name)) for change in (changes[2], changes[1]))
        expected = drawing.at_corners(edges, quad, pair_strips.CORNER)
        assert np.abs(corners.mean(axis=2) - expected.mean(axis=2)).mean() < 12


def test_rejects_are_drawn_where_they_can_be_and_their_sequences_are_listed(data: Data) -> None:
    """Three of a reason; a picture that is damaged, or has no partner, stands in the table alone."""
    first = data.rows[0]
    (data.root / "broken.jpg").write_bytes(b"")
    rows = [
        Reject(pair_id=f"night/V000/{n}", rgb=rgb, tir=tir, stage="align", reason=reason, detail="why")
        for n, (rgb, tir, reason) in enumerate([
            *[(first.rgb, first.tir, "no_match")] * 4,
            (first.rgb, None, "missing_counterpart"),
            (first.rgb, "broken.jpg", "decode"),
        ])
    ]  # fmt: skip
    assert [strip.title for strip in pair_strips.reject_strips(data.root, rows, 3)] == [
        f"night/V000/{n}: no_match" for n in range(3)
    ]
    write_rows(data.aligned / "rejects.jsonl", rows)
    sequences, rejects = align_page._rejects(data.aligned, data.root, {"day/V000": [0.5, 0.7]})
    assert [row[:3] for row in sequences.table[1:]] == [("day/V000", 2, 0), ("night/V000", 0, 6)]
    assert len(rejects.table) == 1 + 6
    assert "rightly left out" in rejects.note
