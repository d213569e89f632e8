"""cmd-train as typed: one line an error, the documented exit codes, torch only when it trains."""

import json
import re
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import torch

from trainer.commands.train import main

from ..train_world import shard, small_windows, write_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"))


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A folder of shards to be spoilt."""
    return write_world(tmp_path / "bad", shard(2))


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def refused(capsys: pytest.CaptureFixture[str], code: int, *words: object) -> str:
    """Run, check exit code and that stderr ends in one ``error:`` line and no traceback; return that line."""
    assert run(*words) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "Traceback" not in lines[0]
    return lines[0]


def words(shards: Path, out: Path, *more: object) -> tuple[object, ...]:
    return "--shards", shards, "--tracker", "dimp18", "--device", "cpu", "--out", out / "run", *more


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--recipe", "z9"), "no recipe 'z9': there are pretrain, a1, b1"),
        (("--set", "speed=3"), "setting speed"),
        (("--set", "rates.slow=3"), "setting rates.slow"),
        (("--set", "rates.bbe=1e-4"), "--set rates.bbe has no effect here, it is for rows that train the IoU-net"),
        (("--set", "gamma=fast"), "setting gamma"),
        (("--set", "losses=[1"), "--set losses=[1"),
        (("--set", "gamma"), "expected key=value"),
        (("--epochs", "0"), "--epochs"),
        (("--seed", "-1"), "setting seed"),
        (("--tracker", "siamfc"), "siamfc"),
        (("--tracker", "atom"), "atom has none"),
        (("--device", "abacus"), "--device abacus: not available here"),
        (("--init", "nowhere.pth"), "--init nowhere.pth: no such file"),
        (("--init", __file__, "--init", __file__), "recipe c1 starts from a1: give one --init for each, or one in all"),
        (("--recipe", "d3", *["--init", __file__] * 3), "recipe d3 starts from b3 and c1: give one --init"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_bad_usage_is_one_line_and_code_2(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], told: str
) -> None:
    out = tmp_path / "made/for/it"
    assert told in refused(capsys, 2, *words(world, out, *more))
    assert not list(tmp_path.iterdir()), "a refusal leaves no folder behind"


def test_an_output_that_cannot_be_written_is_code_2(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert "choose another --out" in refused(capsys, 2, *words(world, tmp_path / "file"))


@pytest.mark.parametrize("fault", ["no index", "no folder", "altered", "cut", "missing", "schema", "index schema"])
def test_bad_shards_are_one_line_that_names_them_and_code_3(
    bad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    path, index = bad / "shard-00000.h5", bad / "index.json"
    data = path.read_bytes()
    if fault == "no index":
        index.unlink()
    elif fault == "no folder":
        bad = bad / "elsewhere"
    elif fault == "altered":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif fault == "cut":
        path.write_bytes(data[:1000])
    elif fault == "missing":
        path.unlink()
    elif fault == "schema":
        with h5py.File(path, "a") as file:
            file.attrs["schema_version"] = "7.0"
    else:
        index.write_text(json.dumps(json.loads(index.read_text()) | {"schema_version": "7.0"}))
    line = refused(capsys, 3, *words(bad, tmp_path))
    assert ("shard-00000.h5" if fault in ("altered", "cut", "missing", "schema") else str(bad)) in line


@pytest.mark.parametrize("content", [b"", b"not weights", {"backbone.weight": torch.zeros(2)}, {"net": 3}])
def test_weights_that_cannot_be_used_are_code_3(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object
) -> None:
    path = tmp_path / "teacher.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    assert "teacher.pth" in refused(capsys, 3, *words(world, tmp_path, "--init", path))


def test_a_damaged_state_is_code_3_and_a_folder_that_may_not_hold_a_run_code_2(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/state.pt").write_bytes(b"PK\x03\x04 and then nothing")
    assert "already holds state.pt" in refused(capsys, 2, *words(world, tmp_path, "--on-existing", "fail"))
    for more in ((), ("--resume",), ("--on-existing", "resume")):
        assert "cannot resume" in refused(capsys, 3, *words(world, tmp_path, *more))
    told = refused(capsys, 2, *words(world, tmp_path, "--resume", "--on-existing", "overwrite"))
    assert "--resume and --on-existing overwrite contradict one another" in told


def test_a_run_prints_what_it_made(
    world: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_windows(monkeypatch)
    more = ("--epochs", 1, "--samples-per-epoch", 1, "--batch-size", 1, "--loader-workers", 0)
    assert run("--debug", *words(world, tmp_path, *more, "--set", "held_out_samples=0")) == 0
    told = capsys.readouterr().out
    assert "recipe" in told
    assert "samples/s" in told
    assert re.search(r"waiting for data +\d+%", told)
    assert (tmp_path / "run/model.safetensors").is_file()
    assert run("train", *words(world, tmp_path, *more, "--set", "held_out_samples=0")) == 0
    assert "run is finished and kept" in caplog.text


def test_list_recipes_prints_table_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list-recipes") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["recipe", "trains", "reference", "test"]
    d3 = next(line for line in lines if line.startswith("d3 "))
    for cell in ("rgb-tir", "tir-rgb", "center", "b3+c1", "1e-07", "2e-08", "68", "80.8", "72.7"):
        assert cell in d3.split()
    beyond = [line.split()[0] for line in lines if line.endswith("beyond the paper")]
    assert beyond == ["k3", "t3", "t4", "atom_t3", "atom_t4"]


def test_patches_that_no_shards_are_of_are_refused_with_what_there_is(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, 2, *words(world, tmp_path / "run"), "--patches", "tubes")
    assert "--patches tubes: these shards hold center: " in line
    assert " --method center --tubes --out " in line
    line = refused(capsys, 2, "feeds", "--shards", world, "--patches", "random", "--out", tmp_path / "feeds.html")
    assert "--patches random: these shards hold center: " in line
    assert " --method random --out " in line
    line = refused(capsys, 2, "--recipe", "b3", "--patches", "tubes", "--out", tmp_path / "run")
    assert "--patches has no effect here, it is for recipes that train" in line
    assert list(tmp_path.iterdir()) == []


LIGHT = """
import sys, time
start = time.perf_counter()
import trainer.commands.train
seconds = time.perf_counter() - start
try:
    trainer.commands.train.main({words!r})
except SystemExit as ended:
    assert ended.code == 0
heavy = sorted({{"torch", "cv2", "dask", "matplotlib"}} & set(sys.modules))
print("HEAVY", heavy, seconds, file=sys.stderr)
"""


@pytest.mark.parametrize("typed", [["--help"], ["train", "--help"], ["--version"], ["--list-recipes"]])
def test_asking_for_help_imports_no_torch(typed: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT.format(words=typed)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout
    told, seconds = done.stderr.rsplit(maxsplit=1)
    assert told.endswith("HEAVY []")
    assert float(seconds) < 3
