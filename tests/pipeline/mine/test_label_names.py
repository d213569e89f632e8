"""`cmd-prep mine` with boxes from files: whose they are is settled before the work, on all pairs, and told."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.mine import MineConfig, run
from pipeline.records import Reject, write_rows
from pipeline.shards.folder import open_shards

from ...conftest import Data, Run, done, lasting, told

LINE = "2 0.5 0.5 0.4 0.4\n"


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A Dask cluster of two processes on this machine."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def words(data: Data, detections: Path, *more: object) -> tuple[object, ...]:
    """The command, which stores each pair in a shard of its own."""
    given = ("--aligned", data.aligned, "--method", "detection", "--detector", "boxes", "--detections", detections)
    return ("mine", *given, "--patch-size", 0, "--pairs-per-shard", 1, *more)


def labels(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / "labels" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LINE)
    return folder / "labels"


def frames(data: Data) -> list[str]:
    return [row.pair_id for row in data.rows]


def test_the_marks_of_export_tools_are_seen_through(
    data: Data, prep: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"{pair.replace('/', '_')}_jpg.rf.{n:032x}.txt" for n, pair in enumerate(frames(data))]
    done(prep(*words(data, labels(tmp_path, *names), "--out", tmp_path / "s")))
    assert "without the marks of export tools" in caplog.text
    assert [patch.category for patch in open_shards(tmp_path / "s").patches] == [2] * 6
    assert "detections" not in json.loads((tmp_path / "s/index.json").read_text())["totals"]


@pytest.mark.parametrize("fallback", ["random", "skip"])
@pytest.mark.parametrize("kind", ["yolo", "coco", "results", "lines"])
def test_names_that_match_nothing_end_the_run_before_it_begins(
    data: Data, prep: Run, tmp_path: Path, kind: str, fallback: str
) -> None:
    path = {
        "yolo": lambda: labels(tmp_path, "frame-a.txt", "frame-b.txt"),
        "coco": lambda: write(tmp_path / "c.json", {"images": [{"id": 1, "file_name": "x/y.jpg"}], "annotations": []}),
        "results": lambda: write(tmp_path / "r.json", [{"image_id": 7, "bbox": [1, 2, 3, 4], "category_id": 0}]),
        "lines": lambda: write(tmp_path / "l.jsonl", {"pair_id": "seq9/0", "boxes": []}),
    }[kind]()
    error = told(
        prep(*words(data, path, "--fallback", fallback, "--out", tmp_path / "s")), 3, str(path), "of 6 pairs", "seq0/0"
    )
    assert {"yolo": "frame-a.txt", "coco": "x/y.jpg", "results": "like 7", "lines": "seq9/0"}[kind] in error
    assert not (tmp_path / "s").exists()


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_where_some_match_both_sides_are_counted(
    data: Data, prep: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_rows(data.aligned / "rejects.jsonl", [reject("seq0/7")])
    folder = labels(tmp_path, "seq0/0.txt", "seq0/2.txt", "seq0/7.txt", "seq5/3.txt")
    (folder / "seq0/0.txt").write_text(LINE + "2 0.5 0.5 -0.4 0.4\n2 1.5 1.5 0.1 0.1\n")
    done(prep(*words(data, folder, "--out", tmp_path / "s")))
    out = caplog.text
    assert "of 4 names 2 belong to aligned pairs, 1 to rejected ones, 1 to none (such as seq5/3.txt)" in out
    assert "of 6 aligned pairs 2 have an entry, 4 have none (such as seq0/4)" in out
    assert "1 of 4 boxes have no width or height and are left out, such as in seq0/0.txt" in out
    assert "1 of 4 boxes lie outside their picture and are left out, such as in seq0/0.txt" in out
    index = json.loads((tmp_path / "s/index.json").read_text())
    assert index["totals"]["detections"] == {
        "boxes_outside": 1,
        "boxes_unusable": 1,
        "names_found": 2,
        "names_not_found": 1,
        "names_of_rejected_pairs": 1,
        "pairs_found": 2,
        "pairs_not_found": 4,
    }
    assert run(config(data, folder, tmp_path / "s")).patches == 6, "a finished folder cannot be read again"


def reject(pair: str) -> Reject:
    return Reject(pair_id=pair, rgb=None, tir=None, stage="align", reason="blank", detail="")


def config(data: Data, detections: Path, out: Path) -> MineConfig:
    given = {"aligned": data.aligned, "method": "detection", "detector": "boxes", "detections": detections}
    return MineConfig.model_validate(given | {"patch_size": 0, "pairs_per_shard": 1, "out": out})


def test_names_of_rejected_pairs_alone_are_no_cause_for_a_warning(
    data: Data, prep: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_rows(data.aligned / "rejects.jsonl", [reject("seq0/7")])
    folder = labels(tmp_path, *(f"{pair}.txt" for pair in frames(data)), "seq0/7.txt")
    done(prep(*words(data, folder, "--out", tmp_path / "s")))
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    only = labels(tmp_path / "only", "seq0/7.txt")
    told(prep(*words(data, only, "--out", tmp_path / "o")), 3, "names only rejected pairs, such as seq0/7.txt")


def sharing(way: str, request: pytest.FixtureRequest) -> tuple[str, str]:
    """The option by which that many processes share the work, or those of a cluster."""
    return ("--scheduler", request.getfixturevalue("scheduler")) if way == "dask" else ("--workers", way)


@pytest.mark.parametrize("way", ["1", "2", pytest.param("dask", marks=pytest.mark.slow)])
def test_a_flat_name_of_two_sequences_is_refused_however_the_work_is_shared(
    data: Data, prep: Run, tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    """Each worker sees pairs of one sequence only, to which the name would belong."""
    data.rewrite([row.model_copy(update={"pair_id": row.pair_id[:5] + str(n % 3)}) for n, row in enumerate(data.rows)])
    folder = labels(tmp_path, "0.txt", "1.txt", "2.txt")
    command = words(data, folder, *sharing(way, request), "--out", tmp_path / "s")
    for _ in range(2):
        told(prep(*command), 3, "entry 0.txt could be pair seq0/0 or seq1/0: use whole paths as names")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("way", ["2", pytest.param("dask", marks=pytest.mark.slow)])
def test_every_way_of_sharing_the_work_gives_the_same_bytes(
    data: Data, prep: Run, tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    names = [f"{'0a1b2c3d-' if n % 2 else ''}{pair.split('/')[1]}.txt" for n, pair in enumerate(frames(data)[:5])]
    folder, made = labels(tmp_path, *names), []
    for number, each in enumerate(("1", way)):
        out = tmp_path / "s"
        done(prep(*words(data, folder, *sharing(each, request), "--out", out)))
        made.append({path.name: lasting(path) for path in out.iterdir() if path.suffix in (".h5", ".json", ".jsonl")})
        out.rename(tmp_path / f"s{number}")
    assert made[0] == made[1]
    assert json.loads(made[0]["index.json"])["totals"]["classes"] == {"-1": 1, "2": 5}


def test_labels_that_changed_in_nothing_but_a_digit_are_other_input(data: Data, prep: Run, tmp_path: Path) -> None:
    folder, out = labels(tmp_path, *(f"{pair}.txt" for pair in frames(data))), tmp_path / "s"
    command = words(data, folder, "--out", out)
    done(prep(*command))
    plan = json.loads((out / "plan.json").read_text())
    (folder / "seq0/0.txt").write_text(LINE.replace("2 ", "7 "))
    told(prep(*command), 2, "other settings or input (detections_content_sha256: ")
    (out / "plan.json").write_text(json.dumps({key: plan[key] for key in plan if "content" not in key}))
    done(prep(*command))


def test_a_file_that_is_written_again_is_read_again(data: Data, tmp_path: Path) -> None:
    path = tmp_path / "boxes.jsonl"
    for category in (3, 14):
        rows = [{"pair_id": pair, "boxes": [[20, 20, 40, 40]], "classes": [category]} for pair in frames(data)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        out = tmp_path / f"s{category}"
        assert run(config(data, path, out)).classes == {str(category): 6}
