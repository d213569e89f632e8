from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.boxes import iou
from pipeline.detect import Detections, select

Row = tuple[tuple[int, int, int, int], float, int]


def detections(rows: list[Row]) -> Detections:
    boxes, scores, classes = zip(*rows, strict=True) if rows else ((), (), ())
    return Detections(
        np.array(boxes, np.float64).reshape(-1, 4), np.array(scores, np.float32), np.array(classes, np.int16)
    )


def rows(found: Detections) -> list[tuple[tuple[float, ...], float, int]]:
    pairs = zip(found.boxes, found.scores, found.classes, strict=True)
    return [(tuple(box), float(score), int(kind)) for box, score, kind in pairs]


ROWS = st.lists(
    st.tuples(
        st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 60), st.integers(1, 60)),
        st.sampled_from([0.25, 0.5, 0.75]),
        st.integers(0, 3),
    ),
    max_size=12,
)


def test_rarer_classes_come_first_and_survive_the_limit() -> None:
    people = [((100 * i, 0, 20, 50), 0.9 - 0.1 * i, 0) for i in range(4)]
    found = detections([*people, ((0, 200, 50, 30), 0.3, 2), ((200, 200, 50, 30), 0.4, 5)])
    assert select(found, limit=3).classes.tolist() == [5, 2, 0]
    assert select(found, limit=3).scores[2] == np.float32(0.9)
    assert len(select(found)) == 6


def test_the_better_of_two_overlapping_boxes_stays_whatever_its_class() -> None:
    found = detections([((0, 0, 100, 100), 0.6, 7), ((0, 0, 100, 95), 0.8, 2), ((0, 0, 100, 75), 0.5, 2)])
    assert select(found).scores.tolist() == [np.float32(0.8), np.float32(0.5)]  # IoU 0.95 goes, 0.79 stays
    assert len(select(found, overlap=0.96)) == 3


def test_size_limits_look_at_the_shorter_and_the_longer_side() -> None:
    found = detections([((0, 0, 10, 40), 0.9, 0), ((50, 0, 20, 90), 0.8, 0), ((150, 0, 20, 91), 0.7, 0)])
    assert select(found, min_size=20, max_size=90).scores.tolist() == [np.float32(0.8)]
    assert select(found, min_size=10, max_size=91).scores.tolist() == found.scores.tolist()


def test_class_filter_runs_before_duplicates_are_removed() -> None:
    found = detections([((0, 0, 100, 100), 0.9, 7), ((0, 0, 100, 100), 0.6, 2)])
    assert select(found, classes={2}).classes.tolist() == [2]
    assert len(select(found, classes=())) == 0


@given(ROWS, st.randoms(use_true_random=False), st.integers(1, 6))
def test_the_order_of_the_input_does_not_matter(content: list[Row], random: object, limit: int) -> None:
    shuffled = list(content)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rows(select(detections(content), limit=limit)) == rows(select(detections(shuffled), limit=limit))


@given(ROWS, st.integers(1, 6))
def test_what_is_kept_is_distinct_and_ordered_by_rarity(content: list[Row], limit: int) -> None:
    everything = select(detections(content))
    assert all(iou(a, b) <= 0.8 for a, b in combinations(everything.boxes, 2))
    counts = Counter(everything.classes.tolist())
    keys = [(counts[kind], -score) for _, score, kind in rows(everything)]
    assert keys == sorted(keys)
    assert rows(select(detections(content), limit=limit)) == rows(everything)[:limit]
    assert {kind for *_, kind in content} >= counts.keys()
