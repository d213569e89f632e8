"""Held-out windows before and after: both responses to one scale, both boxes, and what an older run has not kept."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from trainer.measure.answers import PEAK_IOU, Answer
from trainer.measure.shown import SHOWN, ShownWindow, shown_windows
from trainer.pages import before_and_after as page
from trainer.recipes.geometry import geometry_of

SPEC = geometry_of("dimp18")
CELLS = 19


def answered(peak: tuple[int, int], height: float) -> Answer:
    """Six windows with a response of one high cell (row, column), and a box."""
    response = torch.full((6, CELLS, CELLS), -1.0)
    response[:, peak[0], peak[1]] = height
    return Answer({}, {PEAK_IOU: torch.tensor([[100.0, 90.0, 40.0, 50.0]]).repeat(6, 1)}, response)


def windows(answer: Answer) -> list[ShownWindow]:
    box = torch.tensor([[100.0, 90.0, 40.0, 50.0]]).repeat(6, 1)
    grey = torch.full((6, 3, SPEC.size, SPEC.size), 100, dtype=torch.uint8)
    batch: dict[str, Any] = {"reference_tir": grey, "test_tir": grey, "reference_box": box, "test_box": box}
    return shown_windows(batch, answer, PEAK_IOU, [f"s{place}" for place in range(6)], "tir")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.uint8]]:
    """Every picture of the section, in order."""
    seen: list[NDArray[np.uint8]] = []
    monkeypatch.setattr(page, "small", lambda image: seen.append(image) or "data:,")
    return seen


def test_responses_of_both_are_drawn_to_one_scale_where_they_lie(drawn: list[NDArray[np.uint8]]) -> None:
    after = windows(answered((4, 12), 0.8))
    before = [window.found for window in windows(answered((14, 3), 0.4))]
    section = page.windows_section(after, before, SPEC)
    assert len(section.strips) == SHOWN
    strip = section.strips[0]
    assert [picture.caption for picture in strip.pictures] == [
        "reference", "test", "response before", "response after", "boxes",
    ]  # fmt: skip
    assert strip.title == "s0: before 1.00, after 1.00"
    start, student = (picture[..., 0].astype(int) for picture in drawn[2:4])
    first, stride = SPEC.grid
    for glow, (row, column), share in ((start, (14, 3), 0.5), (student, (4, 12), 1.0)):
        y, x = np.unravel_index(int(glow.argmax()), glow.shape)
        assert abs(y - first - row * stride) <= 1
        assert abs(x - first - column * stride) <= 1
        assert abs(int(glow.max()) - (50 * (1 - share) + 255 * share)) < 8, "the start's peak is half as high"


def test_without_what_the_start_found_the_student_alone_is_shown(drawn: list[NDArray[np.uint8]]) -> None:
    section = page.windows_section(windows(answered((4, 12), 0.8)), [], SPEC)
    assert [p.caption for p in section.strips[0].pictures] == ["reference", "test", "response after", "boxes"]
    assert section.strips[0].title == "s0: after 1.00"
    assert drawn


def test_a_tracker_without_a_response_has_boxes_alone(drawn: list[NDArray[np.uint8]]) -> None:
    answer = answered((4, 12), 0.8)._replace(response=None)
    (strip, *_) = page.windows_section(windows(answer), [], SPEC).strips
    assert [picture.caption for picture in strip.pictures] == ["reference", "test", "boxes"]
    green = cv2.inRange(drawn[-1], np.array([60, 200, 90]), np.array([100, 255, 150]))
    orange = cv2.inRange(drawn[-1], np.array([235, 70, 0]), np.array([255, 110, 20]))
    assert orange.any(), "the student's box"
    assert not green.any(), "which lies on the true one"


def test_what_is_kept_is_small() -> None:
    found = windows(answered((4, 12), 1 / 3))[0].found
    assert found["response"][4][12] == 0.333
    assert set(found) == {"box", "response"}
