"""A survey of many files shows how far it is, on the error stream of a terminal alone."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pipeline.detect import DetectorSpec, Pairs, survey
from pipeline.detect.boxes_file import build


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "patience", "shown"), [(Terminal, 0, True), (Terminal, 60, False), (io.StringIO, 0, False)]
)
def test_a_bar_is_shown_where_people_wait(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stream: type[io.StringIO],
    patience: float,
    shown: bool,
) -> None:
    names = [f"a/{number}" for number in range(5)]
    for name in names:
        path = tmp_path / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("0 0.5 0.5 0.2 0.2\n")
    errors = stream()
    monkeypatch.setattr("sys.stderr", errors)
    monkeypatch.setattr(survey, "PATIENCE", patience)
    found = build(DetectorSpec(name="boxes", detections=tmp_path)).survey(Pairs(dict.fromkeys(names, (64, 48))))
    assert len(found.names) == 5
    said = errors.getvalue()
    assert all((f"{what}: 100%" in said) == shown for what in ("read boxes", "look at boxes", "hash boxes"))
    assert capsys.readouterr().out == ""
