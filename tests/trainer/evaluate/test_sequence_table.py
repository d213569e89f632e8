"""The tables of every sequence that a page has: scores, box areas, means and differences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools import sequence_table

from ..conftest import walk, write_boxes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eleven sequences of one group and one of another, a teacher that is right, a student whose boxes are wider."""
    for number, name in enumerate(["lone", *(f"car-{place:02d}" for place in range(11))]):
        truth = walk(np.random.default_rng(number), 8)
        truth[3] = 0
        for tracker, width in (("truth", 1), ("teacher", 1), ("student", 2)):
            boxes = truth if tracker == "truth" else np.maximum(truth, 1) * (1, 1, width, 1)
            where = f"{name}/groundtruth_rect.txt" if tracker == "truth" else f"{name}.txt"
            write_boxes(tmp_path / tracker / where, boxes)
    return tmp_path


def lines(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    words = ["--annotations", folder / "truth", "--group", "Cars=car-*,bus-*", "--group", "One=lone"]
    words += [word for name in ("teacher", "student") for word in ("--results", f"{name}={folder / name}")]
    monkeypatch.setattr("sys.argv", ["sequence_table", *map(str, words)])
    sequence_table.main()
    return capsys.readouterr().out.splitlines()


def test_every_sequence_its_means_and_what_is_certain(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = lines(folder, monkeypatch, capsys)
    assert told[0] == "## Cars"
    assert told[2] == "| sequence | teacher: S / P / NP / area | student: S / P / NP / area |"
    assert [line.split(" | ")[0] for line in told[4:15]] == [f"| car-{place:02d}" for place in range(11)]
    for line in told[4:16]:
        _, teacher, student = line.strip("| ").split(" | ")
        assert teacher.endswith("/ 1.00")
        assert student.endswith("/ 1.86")  # the first frame is the one that was given
        assert float(teacher.split(" / ")[0]) > float(student.split(" / ")[0])
    assert told[15].startswith("| **mean** |")
    success, *_ = told[16].split(" | ")[2].split(" / ")
    teacher, student = (float(cell.split(" / ")[0]) for cell in told[15].split(" | ")[1:])
    assert success.startswith("**−")
    assert float(success.strip("*").split()[0].replace("−", "-")) == pytest.approx(student - teacher, abs=0.11)


def test_of_few_sequences_no_interval_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = lines(folder, monkeypatch, capsys)
    one = told.index("## One")
    assert told[one + 4].startswith("| lone |")
    assert "[" not in told[one + 6]
    assert "**" not in told[one + 6].removeprefix("| **difference** |")
