"""MATLAB files: their variables, or one named error, also where scipy's reader would take the process down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scipy.io import savemat

from pipeline.errors import DataError
from trainer.evaluate.mat_file import load_mat

from ...conftest import REPOSITORY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "s.mat"
    savemat(path, {"results": [[{"res": [[1.0, 2, 3, 4]], "type": "rect"}]]})
    return path


def test_damaged_files_are_named(path: Path) -> None:
    whole = path.read_bytes()
    for data in (b"", b"text", whole[:150], whole[:-40], b"\x89HDF\r\n\x1a\n" + bytes(600)):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"s\.mat: not a MATLAB file"):
            load_mat(path)
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(DataError, match="larger than"):
        load_mat(path)
    with pytest.raises(DataError, match="cannot read"):
        load_mat(path.with_name("none.mat"))


def test_a_file_that_kills_its_reader_is_named_and_the_next_one_is_read(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:144] + b"\x0e" + whole[145:])
    with pytest.raises(DataError, match=r"s\.mat: not a MATLAB file"):
        load_mat(path)
    path.write_bytes(whole)
    assert "results" in load_mat(path)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory can be bounded on Linux alone")
def test_a_file_of_enormous_sizes_is_refused_before_they_are_filled(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:163] + b"\x7f" + whole[164:])
    with pytest.raises(DataError, match=r"s\.mat: not a MATLAB file .*\(.*[Aa]llocate|MemoryError"):
        load_mat(path)


def test_a_script_that_its_reader_cannot_import_is_not_taken_for_a_damaged_file(path: Path) -> None:
    script = path.with_name("script.py")
    script.write_text(
        "from pathlib import Path\nfrom pipeline.errors import CmdTirError\n"
        "from trainer.evaluate.mat_file import load_mat\n"
        f"try:\n    print(load_mat(Path({str(path)!r})))\nexcept CmdTirError as error:\n    print('told:', error)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    told = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert told.stdout.startswith("told: a worker process ended before it could begin")
    assert len(told.stdout.splitlines()) == 1
