"""A disk that is full or read-only: one line, what is finished is kept, and the same command again goes on."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import REPOSITORY, Data, draw_aligned
from .conftest import Tally

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(300)]

BIN = Path(sys.executable).parent


def command(*words: object, code: int = 0, told: str = "", largest_file: int | None = None) -> None:
    """Run a command, where wanted with no file above a size; a failure is one line that says ``told``."""

    def limit() -> None:
        if largest_file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [BIN / str(words[0]), *map(str, words[1:])],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == (code != 0), done.stderr
    assert told in "".join(errors), done.stderr


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return draw_aligned(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kilobytes."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.h5"))}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_fills_up_keeps_what_is_finished(
    data: Data, small_disk: Path, tmp_path: Path, tally: Tally, workers: int
) -> None:
    words = ("cmd-prep", "mine", "--aligned", data.aligned, "--method", "center", "--pairs-per-shard", 1)
    command(*words, "--out", tmp_path / "whole", "--workers", 1)
    out = small_disk / "shards"
    command(*words, "--out", out, "--workers", workers, code=4, told="No space left on device")
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.stats.json")}
    assert 0 < len(kept) < 6
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    command(*words, "--out", out, "--workers", workers)
    same = _content(out) == _content(tmp_path / "whole")
    tally("full disk", same)
    assert same
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())


def test_a_full_disk_stops_align_and_a_rerun_goes_on(
    tmp_path: Path, data: Data, small_disk: Path, tally: Tally
) -> None:
    words = ("cmd-prep", "align", "--root", data.root, "--out", small_disk / "out", "--model", "identity")
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (252 * 1024))
    command(*words, "--workers", 1, "--min-score", 0, code=4, told="No space left on device")
    assert not list(small_disk.rglob("*.part*"))
    filler.unlink()
    command(*words, "--workers", 1, "--min-score", 0, "--max-reject-ratio", 1, code=2, told="report.html")
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    command(*words, "--workers", 1, "--min-score", 0, "--max-reject-ratio", 1)
    tally("full disk", True)


def test_a_file_that_may_not_grow_ends_with_4_and_a_rerun_goes_on(data: Data, tmp_path: Path, tally: Tally) -> None:
    """The same where nobody may mount: the limit of a quota."""
    words = ("cmd-prep", "mine", "--aligned", data.aligned, "--method", "center", "--pairs-per-shard", 1)
    command(*words, "--out", tmp_path / "whole", "--workers", 1)
    sizes = sorted(path.stat().st_size for path in (tmp_path / "whole").glob("*.h5"))
    out = tmp_path / "out"
    command(*words, "--out", out, "--workers", 1, code=4, told="File too large", largest_file=sizes[3])
    command(*words, "--out", out, "--workers", 1)
    same = _content(out) == _content(tmp_path / "whole")
    tally("full disk", same)
    assert same


def test_a_read_only_output_is_refused_and_a_read_only_input_is_enough(
    data: Data, small_disk: Path, tmp_path: Path, tally: Tally
) -> None:
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    words = ("cmd-prep", "mine", "--aligned", data.aligned, "--method", "center", "--workers", 1)
    command(*words, "--out", small_disk / "made")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for out in (small_disk / "new", small_disk / "made"):
        command(
            *words, "--out", out, code=2, told=f"cannot write to {out}: Read-only file system: choose another --out"
        )
    command("cmd-prep", "verify", small_disk / "made", "--deep", "--workers", 1)
    command("cmd-prep", "report", small_disk / "made", "--out", tmp_path / "page.html")
    told = f"cannot write {small_disk / 'page.html'}: Read-only file system"
    command("cmd-prep", "report", small_disk / "made", "--out", small_disk / "page.html", code=2, told=told)
    tally("read-only disk", True)
