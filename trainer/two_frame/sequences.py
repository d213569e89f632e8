"""The sequences of a test and their windows: as many of each, of all that show their target at two instants."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from pipeline.errors import DataError, some
from trainer.recipes.geometry import TrackerSpec
from trainer.sequences import load_data_set
from trainer.sequences.reach import REACH
from trainer.sequences.rows import read_lines
from trainer.sequences.thermal import Range
from trainer.trackers.model import Model, range_warning
from trainer.two_frame.footage import Footage
from trainer.two_frame.instants import Instants
from trainer.two_frame.settings import TwoFrameConfig
from trainer.two_frame.windows import TwoFrames

log = logging.getLogger(__name__)


def find_windows(
    config: TwoFrameConfig, models: Sequence[Model], spec: TrackerSpec, noise: int
) -> tuple[list[TwoFrames], list[str]]:
    """The windows of every sequence, sequences by name; and the sequences that have none.

    Args:
        config: of the test.
        models: that are measured: it is told where they have learnt from other pictures.
        spec: the base tracker's geometry.
        noise: random starts of a refinement beside the first.

    Raises:
        UsageError: a name that no sequence has, or no manifest of sequences.
        DataError: no such folder, no sequence, sequences that cannot be read, that are in colour where heat is
            expected, or of which none shows its target twice; the message names them.
    """
    footage = _footage(config, models)
    instants = [Instants.of(each.clip, each.size) for each in footage]
    bare = [each.clip.name for each in instants if not len(each.starts)]
    if bare:
        told = f"not seen at two instants, 1 to {REACH} frames apart, with true boxes in the picture"
        if len(bare) == len(instants):
            raise DataError(f"{config.sequences}: every target is {told} ({some(bare)}): give sequences with truth")
        log.warning("warning: %d sequences are left out, their target is %s: %s", len(bare), told, some(bare))
    usable = [pair for pair in zip(footage, instants) if len(pair[1].starts)]
    count = -(-config.windows // len(usable))
    if count * len(usable) != config.windows:
        log.info("%d windows: %d of each of %d sequences", count * len(usable), count, len(usable))
    return [TwoFrames(*each, spec, count, config.seed, noise) for each in usable], bare


def _footage(config: TwoFrameConfig, models: Sequence[Model]) -> list[Footage]:
    """The sequences that are asked for, looked at, by name."""
    data = load_data_set(config.dataset, config.sequences, _asked_for(config), ("--sequences", "--only"))
    fixed = config.tir_range or (data.manifest.tir_range if isinstance(data.manifest.tir_range, tuple) else None)
    for line in data.warnings:
        log.warning("warning: %s", line)
    footage: list[Footage] = []
    faults = dict(data.faults)
    for clip in sorted(data.clips, key=lambda clip: clip.name):
        try:
            footage.append(Footage.of(clip, fixed))
        except DataError as error:
            faults[clip.name] = str(error)
    _refuse(faults)
    coloured = [each.clip.name for each in footage if each.kind == "colour"]
    if coloured and config.modality == "tir":
        raise DataError(
            f"in colour, not TIR in grey: {some(coloured)}: export TIR in false colours in grey (white hot), measure "
            "visible sequences with --rgb, or choose others with --only"
        )
    _warn(models, footage, fixed)
    return footage


def _asked_for(config: TwoFrameConfig) -> list[str]:
    """Names of the sequences to take; none: all.

    Raises:
        DataError: the list of them cannot be read, or names none.
    """
    if not config.listed:
        return list(config.only)
    listed = list(filter(None, map(str.strip, read_lines(config.listed))))
    if not listed:
        raise DataError(f"{config.listed}: names no sequence: write one a line")
    return [*config.only, *listed]


def _warn(models: Sequence[Model], footage: Sequence[Footage], fixed: Range | None) -> None:
    """Say, once, where models have learnt from other pictures than these."""
    firsts = {each.clip.pictures[0]: each.kind for each in footage}
    for line in dict.fromkeys(range_warning(model.learnt, firsts, fixed) for model in models):
        if line:
            log.warning("warning: %s", line)


def _refuse(faults: Mapping[str, str]) -> None:
    """Refuse a test of which a part cannot be measured: its figures would be of another one.

    Raises:
        DataError: there are faults.
    """
    if faults:
        name, fault = next(iter(faults.items()))
        others = f" (cannot be measured: {some(list(faults))})" if len(faults) > 1 else ""
        raise DataError(f"{name}: {fault}{others}; --only measures others")
