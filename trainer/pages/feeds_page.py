"""A page that draws what each branch is fed, for each mix and each control: windows, boxes, proposals, labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.errors import UsageError
from pipeline.pages import html
from trainer.data.controls.shuffled import sequence_of
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feed, Feeding, assemble
from trainer.data.shards import Source, asked_for, held_by, of_kind, open_source
from trainer.data.split.apply import kinds_of, pairs_of, split_source
from trainer.data.split.relatives import inherited
from trainer.data.tracks import Tracks
from trainer.pages.window_pictures import Image, boxed, heated, picture_of, small
from trainer.recipes.geometry import TrackerSpec
from trainer.recipes.point_geometry import PointSpec
from trainer.recipes.recipe import Recipe
from trainer.recipes.row import Row, resolve_row
from trainer.recipes.settings import TrainSettings, make_settings

BOX, PROPOSAL = (217, 72, 15), (25, 113, 194)
OTHER_SCENE = " (the reference is of another scene: nothing to find)"
SHOWN_PROPOSALS = 4
SHOWN_SHIFT = 20.0
"""Pixels of the control that shifts TIR."""


def draw_feeds(
    shards: Sequence[Path],
    recipe: str,
    tracker: str,
    samples: int,
    seed: int,
    window: int | None = None,
    init: Sequence[Path] = (),
    patches: str | None = None,
) -> str:
    """The page, HTML.

    Args:
        shards: folders of shards; those of the recipe's kind of patches are taken where there are any.
        recipe: a row that trains something.
        tracker: whose windows are cut.
        samples: draws to show for each mix.
        seed: of the draws.
        window: side of the search window in pixels; None is the tracker's own.
        init: runs that a run of it would start from, whose split is kept to; none of what they hold out is drawn.
        patches: kind of patches to take in place of the recipe's.

    Raises:
        UsageError: no shards, or none of the kind that is asked for, a row that is fed nothing, no window that a run
            could have, or parents that disagree.
        DataError: shards that cannot be read.
    """
    settings = make_settings({"recipe": recipe, "tracker": tracker, "window": window, "patches": patches})
    asked = resolve_row(settings)
    if not asked.recipe.trains:
        raise UsageError(f"recipe {recipe} trains nothing: its branches are fed nothing")
    if not shards:
        raise UsageError("no shards to draw from: give --shards")
    chosen = asked_for(shards, patches) if patches else of_kind(shards, str(asked.patches)) or tuple(shards)
    source, spec = open_source(chosen), asked.spec
    pairs = _training_pairs(source, recipe, init)
    tracks = Tracks.seen_twice(source, pairs, spec.gap) if asked.instants == "two" else None
    sections = [html.Section("How to read it", _note(asked.recipe, spec))]
    lone = len({sequence_of(source, pair) for pair in pairs.tolist()}) < 2
    for title, feeding in (*mixes(asked.recipe, settings), *controlled(asked.recipe, settings)):
        if feeding.shuffled and lone:
            sections.append(html.Section(title, "There is only one sequence in these shards: no other's TIR to take."))
            continue
        dataset = PairDataset(source, pairs, spec, feeding, samples=samples, seed=seed, tracks=tracks)
        batch = torch.utils.data.default_collate([dataset[index] for index in range(samples)])
        feed = assemble(batch, feeding, torch.device("cpu"))
        names = [_name(dataset, index, int(pair)) for index, pair in enumerate(batch["pair"])]
        sections.append(html.Section(title, strips=_strips(feed, feeding, names, spec)))
    facts = [("recipe", recipe), ("tracker", tracker), *_facts(asked, chosen, tracks)]
    return html.render(f"What {recipe} feeds its branches", f"{samples} pairs of {len(pairs)}", facts, sections)


def _name(dataset: PairDataset, index: int, pair: int) -> str:
    """What a draw is called, by its pair's number."""
    return dataset.source.names[pair][1] + OTHER_SCENE * dataset.draws.draw(index).foreign


def _facts(row: Row, shards: Sequence[Path], tracks: Tracks | None) -> list[tuple[str, str]]:
    facts = [("window", f"{row.spec.size} px, {row.spec.boxes_wide:.3g} boxes wide"), ("patches", held_by(shards))]
    if row.instants == "two":
        shown = "one image" if row.images == 1 else f"the first of {row.images}"
        facts.append(("images", f"{shown} a branch, of {'two instants' if tracks else 'one instant'}"))
    return facts


def _training_pairs(source: Source, recipe: str, init: Sequence[Path]) -> NDArray[np.int64]:
    """The pairs that a run trains on; parents say which, else the default settings do."""
    settings, found = TrainSettings(recipe=recipe), inherited(init, source)
    split = found[1] if found else None
    share, seed = (split or settings).held_out, (split or settings).split_seed
    return pairs_of(source, kinds_of(source, split_source(source, share, seed, split)), share)[0]


def mixes(row: Recipe, settings: TrainSettings) -> list[tuple[str, Feeding]]:
    """Every way in which a row can be fed, with its title; ``settings`` are those of a run of it."""
    ways: dict[str, dict[str, str]] = {"One modality a branch": {}}
    if row.mixed:
        ways = {
            "mix: batch, every pair both ways round": {},
            "mix: batch, mix_pairs: once": {"mix_pairs": "once"},
            "mix: spatial": {"mix": "spatial"},
        }
    return [(title, _with_twin(row, settings.model_copy(update=change))) for title, change in ways.items()]


def _with_twin(row: Recipe, settings: TrainSettings) -> Feeding:
    """How a row is fed, with the windows in RGB on which its teacher answers, where it learns that."""
    return replace(Feeding.of(row, settings), twin="both" if row.answers else None)


def controlled(row: Recipe, settings: TrainSettings) -> list[tuple[str, Feeding]]:
    """Every control that a row can be trained under, with its title; of a mixed row one way round, where there are two.

    A row that is fed no pairs has none; one that learns answers on TIR alone has those that change its pairs.
    """
    if not (row.distils or row.answers):
        return []
    changes: list[dict[str, Any]] = [{"pairs": "shuffled"}, {"misalign": SHOWN_SHIFT}]
    if row.distils:
        changes += [{"feed": feed} for feed in ("rgb-rgb", "tir-tir", "gray")]
    usual = settings.model_copy(update={"mix_pairs": "once" if row.mixed else "twice"})
    ways = []
    for change in changes:
        ((name, value),) = change.items()
        title = f"{name}: {value}{' px' if name == 'misalign' else ''}"
        ways.append((f"Control, {title}", _with_twin(row, usual.model_copy(update=change))))
    if row.distils and row.branch != "both":
        ways.append(("Control, losses: features", replace(Feeding.of(row, usual), twin=row.branch)))
    return ways


def _note(row: Recipe, spec: TrackerSpec) -> str:
    """What the pictures show, and what in them is no picture."""
    trained = {"both": "both branches are", "test": "the test branch is", "reference": "the reference branch is"}
    shown = "its box (orange) and proposals (blue), and the label that the response must have"
    beyond = "Streaks lie beyond the picture's edge, where its last pixels are repeated, as while tracking."
    if isinstance(spec, PointSpec):
        shown = "its box, and the label with the points that must find the target (orange) and that must not (blue)"
        beyond = "Even areas lie beyond the picture's edge, in its mean colour, as while tracking."
    return (
        f"Left the reference branch with its own box, then the test branch with {shown}. In {row.name} "
        f"{trained[row.branch]} trained. {beyond} Grey areas are what the thermal camera does not see, blank in both "
        "modalities."
    )


def _strips(feed: Feed, feeding: Feeding, names: list[str], spec: TrackerSpec) -> list[html.Strip]:
    strips = []
    ways = len(feeding.reference)
    for index in range(len(feed.reference)):
        if feeding.once:
            way, pair = int(index >= len(names) // 2), index
        else:
            way, pair = divmod(index, len(names))
        told = f"{names[pair]}, row {index + 1}" + (f", way {way + 1} of {ways}" if ways > 1 else "")
        reference = boxed(picture_of(feed.reference[index]), [feed.reference_box[index]], BOX)
        proposals, seen = list(feed.proposals[index, :SHOWN_PROPOSALS]), picture_of(feed.test[index])
        test = boxed(boxed(seen, proposals, PROPOSAL), [feed.test_box[index]], BOX)
        label = heated(seen, feed.label[index].numpy(), spec)
        if feed.cells is not None:
            label = _pointed(label, feed.cells[index], spec)
        pictures = [
            html.Picture(small(reference), f"reference: {feeding.reference[way]}"),
            html.Picture(small(test), f"test: {feeding.test[way]}"),
            html.Picture(small(label), "label g" if feed.cells is None else "label g, points"),
        ]
        if feed.twin is not None:
            twin = small(picture_of(feed.twin[index]))
            pictures.append(html.Picture(twin, f"{feeding.twin}, the same window: rgb"))
        for branch, windows in zip(("reference", "test"), feed.twins or ()):
            twin = small(picture_of(windows[index]))
            pictures.append(html.Picture(twin, f"{branch}, the same window: rgb, for the teacher"))
        strips.append(html.Strip(told, pictures))
    return strips


def _pointed(picture: Image, cells: Tensor, spec: TrackerSpec) -> Image:
    """A window with the points that are to find the target (orange), and those that are not (blue)."""
    drawn, (first, stride) = picture.copy(), spec.grid
    for row, column in np.argwhere(cells.numpy() >= 0).tolist():
        at = round(first + column * stride), round(first + row * stride)
        cv2.circle(drawn, at, 3, BOX if cells[row, column] == 1 else PROPOSAL, cv2.FILLED, cv2.LINE_AA)
    return drawn
