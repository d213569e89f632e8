"""What every base tracker must do in the two-frame test: a new one has a line in ``trainer/base_trackers.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.base_trackers import BASE_TRACKERS
from trainer.recipes.geometry import SearchSpec, geometry_of
from trainer.two_frame import run

from ..conftest import lasting
from ..trainer.two_frame.world import WINDOW, config, found, write_run, write_sequences

LARGE = {"dimp50", "superdimp"}
NAMES = [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in BASE_TRACKERS]
TRIVIAL = {"the middle", "the reference's box kept"}


@pytest.mark.parametrize("tracker", NAMES)
def test_it_finds_something_in_every_sequence_and_the_same_again(tracker: str, tmp_path: Path) -> None:
    spec, root = geometry_of(tracker), write_sequences(tmp_path / "sequences", "ant", "bee")
    window = WINDOW if isinstance(spec, SearchSpec) else None
    checkpoint, out = write_run(tmp_path / "run", tracker), tmp_path / "found.json"
    asked = config(checkpoint, root, out, window=window, pictures=tmp_path / "pictures", show=3)
    measured = run(asked)
    content, first = found(out), lasting(out)
    expected = {"iou_from_peak", "hit", "peak_error"} if spec.classifier else {"iou_from_displaced"}
    assert (content["tracker"], content["window"]) == (tracker, window or spec.size)
    assert (content["windows"], content["modality"], content["left_out"]) == (4, "tir", [])
    assert content["decides"] == measured.decides
    assert measured.decides == ("iou_from_peak" if spec.classifier else "iou_from_displaced")
    measures: dict[tuple[str, str], set[str]] = {}
    for row in content["rows"]:
        measures.setdefault((row["sequence"], row["answer"]), set()).add(row["measure"])
        assert row["windows"] == 2
        assert row["value"] >= 0
        assert row["value"] <= 1 or row["measure"] == "peak_error"
    assert set(measures) == {(name, answer) for name in ("ant", "bee") for answer in {"student", *TRIVIAL}}
    assert all(expected <= told for told in measures.values())
    assert len({frozenset(told) for told in measures.values()}) == 1
    assert content["rows"] == sorted(content["rows"], key=lambda row: (row["sequence"], row["answer"], row["measure"]))
    assert str(tmp_path).encode() not in first
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {"0.png", "1.png", "2.png"}
    run(asked.model_copy(update={"on_existing": "overwrite", "pictures": None, "show": 4}))
    assert lasting(out) == first
