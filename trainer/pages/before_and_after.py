"""Held-out windows before and after a run: what the branches see, how they respond, and the boxes that are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.boxes import iou
from pipeline.pages import html
from pipeline.pages.drawing import GREEN
from trainer.measure.shown import ShownWindow
from trainer.pages.window_pictures import Image, boxed, heated, picture_of, small
from trainer.recipes.geometry import TrackerSpec

BEFORE, AFTER = (86, 180, 233), (255, 90, 0)


def windows_section(
    windows: Sequence[ShownWindow], before: Sequence[dict[str, Any]], spec: TrackerSpec
) -> html.Section:
    """The section.

    Args:
        windows: with what the student finds.
        before: what the start found in each of them; empty where that was not kept.
        spec: the geometry of the windows.
    """
    note = (
        "Windows on TIR alone, each of another sequence where there are as many. Responses of both are drawn to one "
        "scale. Boxes: truth green, start blue, student orange; the numbers are their IoU with the truth."
    )
    starts = [*before, *({} for _ in windows)]
    strips = [_strip(window, start, spec) for window, start in zip(windows, starts)]
    return html.Section("Before and after", note, strips=strips)


def _strip(window: ShownWindow, before: dict[str, Any], spec: TrackerSpec) -> html.Strip:
    answers = {"before": before, "after": window.found}
    seen, truth = picture_of(window.test), [window.test_box.tolist()]
    found = boxed(seen, truth, GREEN)
    told = []
    for (when, answer), colour in zip(answers.items(), (BEFORE, AFTER)):
        if answer:
            found = boxed(found, [answer["box"]], colour)
            told.append(f"{when} {_overlap(answer['box'], truth[0]):.2f}")
    pictures = [
        ("reference", boxed(picture_of(window.reference), [window.reference_box], GREEN)),
        ("test", boxed(seen, truth, GREEN)),
        *_responses(seen, answers, spec),
        ("boxes", found),
    ]
    shown = [html.Picture(small(image), name) for name, image in pictures]
    return html.Strip(f"{window.sequence}: {', '.join(told)}", shown)


def _responses(seen: Image, answers: dict[str, dict[str, Any]], spec: TrackerSpec) -> list[tuple[str, Image]]:
    """The responses of networks that have one; what is below 0 is dark."""
    maps = {when: np.array(answer["response"]) for when, answer in answers.items() if "response" in answer}
    most = max((float(each.max()) for each in maps.values()), default=0) or 1.0
    return [(f"response {when}", heated(seen, np.clip(each / most, 0, 1), spec)) for when, each in maps.items()]


def _overlap(box: Sequence[float], truth: Sequence[float]) -> float:
    return float(iou(np.array([box]), np.array([truth]))[0])
