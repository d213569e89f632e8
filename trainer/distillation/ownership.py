"""Which parameters a branch of a module owns, in each kind of base tracker: prefixes of their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer.net.nano.network import OWNED
from trainer.recipes.geometry import BACKBONE_LAYERS, geometry_of
from trainer.recipes.point_geometry import NANOTRACK_V2
from trainer.recipes.recipe import Branch, Module

Prefixes = tuple[str, ...]


@dataclass(frozen=True)
class Ownership:
    """Who owns what in the networks of one kind of base tracker.

    Attributes:
        backbone: prefix of the backbone.
        running: those of its layers that run.
        reference: by module, what the reference branch alone runs.
        test: likewise.
        shared: what both branches of the classifier run.
        reached: parts that a loss teaches only if it takes one of some names.
        apart: parts whose rate may differ from that of the rest of their module, by the name of the rate.
    """

    backbone: str
    running: Prefixes
    reference: Mapping[Module, Prefixes]
    test: Mapping[Module, Prefixes]
    shared: Prefixes = ()
    reached: tuple[tuple[Module, Prefixes, frozenset[str]], ...] = ()
    apart: Mapping[str, Prefixes] | None = None

    def parts(self, module: Module, branch: Branch) -> Prefixes:
        """Prefixes of what a branch of a module owns, what both branches of it share included."""
        if module == "backbone":
            return self.layers(self.running)
        own = (self.reference[module] if branch != "test" else ()) + (
            self.test[module] if branch != "reference" else ()
        )
        return own + (self.shared if module == "tcl" else ())

    def layers(self, names: Prefixes) -> Prefixes:
        """Prefixes of layers of the backbone."""
        return tuple(f"{self.backbone}{name}." for name in names)


def _within(module: str, *names: str) -> Prefixes:
    return tuple(f"{module}.{name}." for name in names)


MODULATED = Ownership(
    backbone="feature_extractor.",
    running=BACKBONE_LAYERS,
    reference={
        "bbe": _within("bb_regressor", "conv3_1r", "conv4_1r", "fc3_1r", "fc34_3r", "fc34_4r"),
        "tcl": _within("classifier", "filter_initializer", "filter_optimizer"),
    },
    test={
        "bbe": _within(
            "bb_regressor", "conv3_1t", "conv3_2t", "conv4_1t", "conv4_2t", "fc3_rt", "fc4_rt", "iou_predictor"
        ),
        "tcl": (),
    },
    shared=_within("classifier", "feature_extractor"),
    # Layers after the modulated map: Eq. 3 replaces them by psi, so under it alone they get no gradient.
    reached=(("bbe", _within("bb_regressor", "fc3_rt", "fc4_rt", "iou_predictor"), frozenset({"predicted"})),),
    apart={"filter_optimizer": _within("classifier", "filter_optimizer")},
)
"""DiMP and ATOM."""

_ANSWERS: Mapping[Module, frozenset[str]] = {
    "tcl": frozenset({"logits", "scores", "end_scores"}),
    "bbe": frozenset({"distances"}),
}
CORRELATED = Ownership(
    backbone="backbone.",
    running=NANOTRACK_V2.backbone_layers,
    reference={"tcl": OWNED["tcl"].reference, "bbe": OWNED["bbe"].reference},
    test={"tcl": OWNED["tcl"].test, "bbe": OWNED["bbe"].test},
    reached=(
        # Tower and prediction read the correlation maps: psi of Eq. 3 stands in their place. What compares features of
        # one branch does not even weigh those maps.
        ("tcl", OWNED["tcl"].scoring + _within("ban_head.corr_pw_cls", "CA_layer"), _ANSWERS["tcl"]),
        ("bbe", OWNED["bbe"].scoring, _ANSWERS["bbe"]),
        ("bbe", _within("ban_head.corr_pw_reg", "CA_layer"), _ANSWERS["bbe"] | {"predicted_state"}),
    ),
)
"""NanoTrack."""


def ownership_of(tracker: str) -> Ownership:
    """Who owns what in a base tracker."""
    found: Ownership = geometry_of(tracker).family.part("ownership")
    return found
