"""What a mining method is: what it proposes for a pair, how that is derived again, and which settings it uses."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import common_area
from pipeline.config import Settings, recorded
from pipeline.detect import Pairs, Survey
from pipeline.errors import UsageError, did_you_mean
from pipeline.images import Rgb
from pipeline.mine.proposals import Proposal
from pipeline.mine.settings import BEFORE, SHARED, MineSettings, MineWhereabouts
from pipeline.records import AlignedPair, Reason
from pipeline.registries import METHODS


@dataclass(frozen=True)
class PairView:
    """A pair as a method sees it.

    Attributes:
        pair_id: its name.
        size: (width, height) of the visible picture in pixels.
        valid: (4, 2) corners of the TIR footprint in pixels of the visible picture, clockwise from the top left.
        row: the pair's row of ``aligned.jsonl``; None where its boxes are derived again from a shard.
        rgb: (H, W, 3) R, G, B; None unless the method looks at pictures.
    """

    pair_id: str
    size: tuple[int, int]
    valid: NDArray[np.float64]
    row: AlignedPair | None = None
    rgb: Rgb | None = None

    @property
    def common(self) -> NDArray[np.float64]:
        """The box (4,) inside both the picture and the TIR footprint; no width or height where there is none."""
        return common_area(self.size, self.valid)


@dataclass(frozen=True)
class Proposed:
    """The pseudo boxes of a pair.

    Attributes:
        proposals: the boxes.
        left_out: why boxes, or all there could have been, were left out: code and detail.
        fell_back: whether they stand in for what the method looked for and did not find.
    """

    proposals: list[Proposal]
    left_out: list[tuple[Reason, str]] = field(default_factory=list)
    fell_back: bool = False


class Method:
    """Base of every mining method. One instance serves one shard, in the process that makes it.

    A pair's boxes are a function of the settings, the pair and what :meth:`open` read, never of the other pairs of a
    call, and each lies at least ``schema.MIN_COVERAGE`` inside the TIR footprint.

    Attributes:
        uses: the fields of :class:`MineSettings` that decide its boxes, beside those that every method uses.
        tube_uses: those that decide its tubes, in place of ``uses``; none for a method that makes no tubes.
        Options: its other settings; ``mine --set NAME=VALUE`` gives them, and shards record all of them.
        looks: whether it needs the visible picture; its pairs are then read ahead while it works.
        falls_back: whether a pair may get boxes that stand in for others; their share is then told.
        batch_size: pairs proposed for at once.
        pair_in_frames: frames that ``--tubes`` follows in the time in which a pair is mined then; bars reckon with it.
        detector: what the shard names as its detector; empty where there is none.
        weights_sha256: of the detector's weights, empty where there are none.
        class_names: class -> name of what the detector may have found, where the survey does not tell.
        surveyed: what :meth:`survey` settled of the shard's pairs; None outside a run.
    """

    uses: ClassVar[frozenset[str]] = frozenset()
    tube_uses: ClassVar[frozenset[str]] = frozenset()
    Options: ClassVar[type[Settings]] = Settings
    looks: ClassVar[bool] = False
    falls_back: bool = False
    batch_size: int = 1
    pair_in_frames: float = 1.0
    detector: str = ""
    weights_sha256: str = ""
    class_names: Mapping[int, str] = MappingProxyType({})
    surveyed: Survey | None = None

    def __init__(self, settings: MineSettings) -> None:
        self.settings = settings
        if unknown := sorted(settings.options.keys() - self.Options.model_fields.keys()):
            known = ", ".join(self.Options.model_fields) or "none"
            near = did_you_mean(unknown[0], self.Options.model_fields)
            raise UsageError(
                f"--set {unknown[0]}: --method {settings.method} has no such setting: {near}it has {known}"
            )
        self.options = self.Options.model_validate(settings.options)

    @property
    def used(self) -> frozenset[str]:
        """The settings that decide what it makes: boxes of pairs one by one, or tubes."""
        return self.tube_uses if self.settings.tubes else self.uses

    def derive(self, pair: PairView) -> list[Proposal] | None:
        """The boxes that follow from the settings, the pair's id, its size and its footprint alone.

        Returns:
            None where they do not follow from these; :meth:`propose` must then be overridden.
        """
        return None

    def propose(self, pairs: Sequence[PairView]) -> Iterator[Proposed]:
        """The boxes of each pair of a batch, in order."""
        for pair in pairs:
            chosen = self.derive(pair) or []
            yield Proposed(chosen, [] if chosen else [("outside_tir", "no common area to cut from")])

    def survey(self, pairs: Pairs, where: MineWhereabouts) -> Survey:
        """Settle, once and before the work, what depends on all pairs of the run: no worker sees more than its own."""
        return Survey()

    def open(self, where: MineWhereabouts) -> None:
        """Get ready in the process that makes a shard: read files, build a detector."""

    def sources(self) -> dict[str, str]:
        """SHA-256, by name, of the source of what was plugged in; nothing for what comes with the package."""
        own = METHODS.source_sha256(self.settings.method)
        return {"method_source_sha256": own} if own else {}

    def refuse_other_sources(self, recipe: Mapping[str, object]) -> None:
        """See to it that a worker elsewhere has the very code that the run was started with.

        Raises:
            UsageError: what is plugged in is another version.
        """
        for name, sha256 in self.sources().items():
            if recipe.get(name) != sha256:
                raise UsageError(
                    f"{name} on {platform.node()} is {sha256[:16]}, the run was started with "
                    f"{str(recipe.get(name))[:16]}: give every worker the same file"
                )

    def inputs(self, where: MineWhereabouts) -> dict[str, str]:
        """SHA-256, by name, of the files that the boxes depend on, beside ``aligned.jsonl``."""
        return {}

    def recipe(self) -> dict[str, object]:
        """The settings that decide what the shards hold, as they are written down."""
        content = self.settings.model_dump(mode="json", include=set(SHARED | self.used))
        options = self.options.model_dump(mode="json")
        return recorded(content, BEFORE) | ({"options": options} if options else {}) | self.sources()
