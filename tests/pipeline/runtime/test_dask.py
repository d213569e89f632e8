"""A real scheduler and two real workers over TCP: the same bytes as on one core, whoever dies, and nothing lost."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline import images
from pipeline.detect import DetectorSpec, Survey
from pipeline.errors import CmdTirError, DataError
from pipeline.mine import MineConfig
from pipeline.mine.methods import build_method
from pipeline.mine.pairs import Task
from pipeline.runtime.executor import run_tasks

from ...conftest import REPOSITORY, draw_pair, lasting
from .cluster import Cluster, within
from .executor_tasks import Job, built, refuse, square

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SEQUENCES, FRAMES, SHARDS = 4, 72, 8
PREP = str(Path(sys.executable).with_name("cmd-prep"))
# Lossless encoding and large patches take time, in which a run can be ended.
SLOWLY = ("--warped-format", "png", "--patch-size", 200)
MINE = (
    "mine",
    "--aligned",
    "aligned",
    "--method",
    "random",
    "--pairs-per-shard",
    SEQUENCES * FRAMES // SHARDS,
    *SLOWLY,
)
ALIGN = ("align", "--root", "data", "--manifest", "kaist", "--min-score", 0)
SHIFTED = ("--model", "translation")


def start(folder: Path, *words: object) -> subprocess.Popen[str]:
    """A command, run where its relative paths mean something."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [PREP, *map(str, words)], cwd=folder, env=environment, stdout=-1, stderr=-1, text=True, start_new_session=True
    )


def run(folder: Path, *words: object, code: int = 0, told: str = "") -> str:
    """Run a command to its end; a failure is one line."""
    process = start(folder, *words)
    return ended(process, code, told)


def ended(process: subprocess.Popen[str], code: int = 0, told: str = "") -> str:
    """Wait for a command; a failure ends in one line that says ``told``, and shows no traceback."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == code, err
    assert "Traceback" not in err
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(errors) == (code != 0), err
    assert told in (errors[0] if errors else ""), err
    return out


def content(folder: Path) -> dict[str, bytes]:
    """What a stage made, without what is of the run: times and paths."""
    names = ("*.h5", "*.stats.json", "rejects.jsonl", "aligned.jsonl", "index.json")
    return {path.name: lasting(path) for name in names for path in sorted(folder.glob(name))}


def finished(folder: Path) -> int:
    return len(list(folder.glob("*.stats.json")))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sequences of large pictures, so that a shard takes a while; aligned and mined by one worker, as ``one-*``."""
    folder = tmp_path_factory.mktemp("a user's work")
    drawn = [[images.encode(p, ".jpg") for p in draw_pair(seed, (800, 640))] for seed in range(6)]
    rows = [(f"set00/V{s:03d}", f"I{f:05d}", drawn[(s + f) % 6]) for s in range(SEQUENCES) for f in range(FRAMES)]
    for sequence, frame, pair in rows:
        for side, data in zip(("visible", "lwir"), pair):
            path = folder / "data" / sequence / side / f"{frame}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    known = {"cameras": {f"set00/V{s:03d}": {"homography": [1, 0, s, 0, 1, -s, 0, 0, 1]} for s in range(SEQUENCES)}}
    (folder / "known.json").write_text(json.dumps(known))
    run(folder, *ALIGN, "--homographies", "known.json", "--out", "aligned", "--workers", 1)
    run(folder, *MINE, "--out", "one", "--workers", 1)
    assert finished(folder / "one") == SHARDS
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """For tests that hurt nobody."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def test_shards_are_the_same_bytes_however_they_are_made(work: Path, cluster: Cluster) -> None:
    expected = content(work / "one")
    run(work, *MINE, "--out", "four", "--workers", 4)
    assert content(work / "four") == expected
    run(work, *MINE, "--out", "dask", "--scheduler", cluster.address)
    assert content(work / "dask") == expected
    lines = (work / "aligned/aligned.jsonl").read_text().splitlines(keepends=True)
    lines.sort(key=lambda line: hashlib.sha256(line.encode()).digest())
    (work / "permuted").mkdir()
    (work / "permuted/aligned.jsonl").write_text("".join(lines))
    (work / "permuted/align.json").write_bytes((work / "aligned/align.json").read_bytes())
    run(work, *MINE, "--aligned", "permuted", "--out", "other", "--scheduler", cluster.address)
    others = content(work / "other")
    assert {name: data for name, data in others.items() if name != "index.json"} == {
        name: data for name, data in expected.items() if name != "index.json"
    }
    shards = [json.loads(data["index.json"])["shards"] for data in (others, expected)]
    assert shards[0] == shards[1]


def test_alignment_is_the_same_rows_however_it_is_made(tmp_path: Path, cluster: Cluster) -> None:
    for sequence in range(3):
        for frame in range(4):
            rgb, tir = draw_pair(10 * sequence + frame)
            for side, picture in (("visible", rgb), ("lwir", np.roll(tir, sequence, 1))):
                path = tmp_path / f"data/set00/V{sequence:03d}/{side}/I{frame:05d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(images.encode(picture, ".jpg"))
    places: dict[str, tuple[object, ...]] = {"one": ("--workers", 1), "four": ("--workers", 4)}
    places["dask"] = ("--scheduler", cluster.address)
    made = []
    for name, where in places.items():
        run(tmp_path, *ALIGN, *SHIFTED, "--out", name, *where)
        made.append(content(tmp_path / name))
    assert made[0] == made[1] == made[2]
    assert len(made[0]["aligned.jsonl"].splitlines()) == 12


def test_a_worker_killed_in_the_middle_of_a_shard_costs_nothing_but_time(work: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Cluster(tmp_path / "cluster") as cluster:
        command = start(work, *MINE, "--out", out, "--scheduler", cluster.address)
        assert within(120, lambda: finished(out) >= 1)
        cluster.workers[0].kill()
        assert finished(out) < SHARDS, "all was done before the kill: make the shards larger"
        ended(command)
    assert content(out) == content(work / "one")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_command_that_is_ended_goes_on_to_the_same_bytes(
    work: Path, tmp_path: Path, how: signal.Signals, workers: int
) -> None:
    out = tmp_path / "out"
    command = start(work, *MINE, "--out", out, "--workers", workers)
    assert within(120, lambda: finished(out) >= 2)
    command.send_signal(how)
    if how == signal.SIGKILL:
        command.communicate(timeout=60)
    else:
        ended(command, 4, "interrupted: run the same command again to go on")
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.stats.json")}
    assert 2 <= len(kept) < SHARDS
    run(work, *MINE, "--out", out, "--workers", workers)
    assert content(out) == content(work / "one")
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items()), "finished work was done again"
    assert not list(out.glob("*.part*"))


def test_a_scheduler_that_restarts_is_a_clear_refusal_and_the_rerun_finishes(work: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = (*MINE, "--out", out, "--scheduler")
    with Cluster(tmp_path / "cluster") as cluster:
        command = start(work, *words, cluster.address)
        assert within(120, lambda: finished(out) >= 2)
        cluster.restart_scheduler()
        ended(command, 4, f"lost the Dask scheduler at {cluster.address}: when it is back, run the same command again")
        kept = {path: path.stat().st_mtime_ns for path in out.glob("*.stats.json")}
        assert 2 <= len(kept) < SHARDS
        run(work, *words, cluster.address)
    assert content(out) == content(work / "one")
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items()), "finished work was done again"


def test_a_task_that_fails_twice_is_the_same_one_line_and_what_is_finished_is_kept(
    work: Path, tmp_path: Path, cluster: Cluster
) -> None:
    with pytest.raises(DataError, match="picture 0 is damaged"):
        list(run_tasks(refuse, [Job(0, tmp_path)], scheduler=cluster.address))
    out, blocked = tmp_path / "out", tmp_path / "out/shard-00003.h5/x"
    blocked.mkdir(parents=True)
    words = (*MINE, "--out", out, "--scheduler", cluster.address)
    run(work, *words, code=4, told="shard-00003.h5")
    assert 1 <= finished(out) < SHARDS
    blocked.rmdir()
    blocked.parent.rmdir()
    run(work, *words)
    assert content(out) == content(work / "one")


def test_a_task_that_kills_every_worker_ends_with_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "1")
    with Cluster(tmp_path / "cluster", workers=3) as cluster:
        with pytest.raises(CmdTirError, match=r"2 Dask workers died on the same task.*more memory") as caught:
            list(run_tasks(square, [Job(5, tmp_path, kills=99)], scheduler=cluster.address))
        assert caught.value.exit_code == 4


def test_a_detector_is_built_once_a_worker_and_never_sent(
    tmp_path: Path, cluster: Cluster, work: Path, make_task: Callable[[], Task]
) -> None:
    path = tmp_path / "boxes.jsonl"
    path.write_text(json.dumps({"pair_id": "a/b", "boxes": [[1, 2, 3, 4]]}) + "\n")
    spec = DetectorSpec(name="boxes", detections=path)
    found = list(run_tasks(built, [spec] * 40, scheduler=cluster.address))
    assert len({worker for worker, _ in found}) == 2
    assert {builds for _, builds in found} == {1}
    assert len(pickle.dumps(make_task())) < 20_000


@pytest.fixture
def make_task() -> Callable[[], Task]:
    """A mining task of the default size."""

    def task() -> Task:
        config = MineConfig(aligned=Path("a"), out=Path("b"), method="detection", weights=Path("w.pt"))
        offsets = np.arange(config.pairs_per_shard, dtype=np.int64)
        return Task(
            Path("b/x.h5"),
            Path("a/aligned.jsonl"),
            Path("data"),
            config,
            build_method(config).recipe(),
            offsets,
            offsets,
            Survey(),
        )

    return task


def test_tasks_go_to_the_workers_that_have_what_they_need(work: Path, tmp_path: Path) -> None:
    words = (*MINE, "--out", tmp_path / "out", "--worker-resources", "GPU=1", "--scheduler")
    with Cluster(tmp_path / "cluster", workers=1) as cluster:
        refused = f'no worker at {cluster.address} offers GPU=1: start one with `dask worker --resources "GPU=1"`'
        assert within(60, lambda: b"Registered to" in next(cluster.folder.glob("worker-*/log")).read_bytes())
        run(work, *words, cluster.address, code=2, told=refused)
        cluster.join("--resources", "GPU=1")
        logs = list(cluster.folder.glob("worker-*/log"))
        assert within(60, lambda: all(b"Registered to" in log.read_bytes() for log in logs))
        run(work, *words, cluster.address)
        places = list(run_tasks(square, [Job(n, tmp_path) for n in range(6)], 1, cluster.address, {"GPU": 1}))
        assert sorted(places) == [n**2 for n in range(6)]
        assert len(list(tmp_path.glob("by-*"))) == 1
    assert content(tmp_path / "out") == content(work / "one")


def test_a_cluster_without_workers_waits_for_them(work: Path, tmp_path: Path) -> None:
    with Cluster(tmp_path / "cluster", workers=0) as cluster:
        log = tmp_path / "err"
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        words = [PREP, *map(str, (*MINE, "--out", tmp_path / "out", "--scheduler", cluster.address))]
        with (
            log.open("wb") as err,
            subprocess.Popen(words, cwd=work, env=environment, stdout=-3, stderr=err) as waiting,
        ):
            assert within(60, lambda: b"no worker has joined" in log.read_bytes())
            cluster.workers += [cluster.join(), cluster.join()]
            assert waiting.wait(200) == 0
    assert content(tmp_path / "out") == content(work / "one")


def test_two_runs_on_one_output_are_one_run_and_one_refusal(work: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = start(work, *MINE, "--out", out, "--workers", 1)
    assert within(60, (out / "plan.json").is_file)
    run(work, *MINE, "--out", out, "--workers", 1, code=4, told=f"another run is writing to {out}: wait for it")
    ended(first)
    assert content(out) == content(work / "one")
