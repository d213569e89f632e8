"""A survey of many files shows how far it is, on the error stream of a terminal alone."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from pipeline.detect import DetectorSpec, Pairs, survey
from pipeline.detect.boxes_file import build


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "many", "shown"), [(Terminal, 5, True), (Terminal, 6, False), (io.StringIO, 5, False)]
)
def test_a_bar_is_shown_where_people_wait(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    stream: type[io.StringIO],
    many: int,
    shown: bool,
) -> None:
    names = [f"a/{number}" for number in range(5)]
    for name in names:
        path = tmp_path / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("0 0.5 0.5 0.2 0.2\n")
    caplog.set_level("INFO")
    errors = stream()
    monkeypatch.setattr("sys.stderr", errors)
    monkeypatch.setattr(survey, "MANY", many)
    found = build(DetectorSpec(name="boxes", detections=tmp_path)).survey(Pairs(dict.fromkeys(names, (64, 48))))
    assert len(found.names) == 5
    said = errors.getvalue()
    for what in ("read boxes", "look at boxes", "hash boxes"):
        assert bool(re.search(rf"{what}\s+100 %", said)) == shown
    assert capsys.readouterr().out == ""
