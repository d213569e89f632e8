"""What people would use instead to find boxes in pictures, really run: ultralytics' predict, in turn with ours.

``python -m benchmarks.peers_detection WEIGHTS PAIRS`` with a YOLO file and the folder of a data set of RGB-TIR pairs.
The peer (AGPL-3.0, the extra ``yolo``) is the package that is installed: nothing of it is part of this project, nor
changed.

Each way is a process of its own, from start to end, loading included: ``model.predict(folder, stream=True)`` with its
defaults on the visible pictures, and ``cmd-prep mine --method detection`` with its defaults on the pairs that ``align``
left, which reads the thermal pictures too, cuts patches and writes shards. Where the network takes pictures of any size
ours is told ``--letterbox rect``, the peer's default. ``OMP_NUM_THREADS`` is left to each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from benchmarks.measure import report
from pipeline import align
from pipeline.align import AlignConfig
from pipeline.detect.yolo.exports import takes_any_size
from pipeline.records import AlignedPair, read_rows, write_rows
from pipeline.shards.index import load_index

ROUNDS = 3
PEER = """
import sys, ultralytics
results = ultralytics.YOLO(sys.argv[1], task="detect").predict(sys.argv[2], stream=True, device="cpu", verbose=False)
print("boxes:", sum(len(result.boxes) for result in results))
"""
OURS = "import cmd_tir; cmd_tir.prep()"


def spent(code: str, *words: object) -> tuple[float, float, str]:
    """Processor and wall seconds of a process and all that it starts, and what it prints."""
    quiet = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "ORT_DISABLE_TELEMETRY": "1"}
    before, begun = os.times(), time.perf_counter()
    command = [sys.executable, "-c", code, *map(str, words)]
    done = subprocess.run(command, env=os.environ | quiet, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - begun, os.times()
    if done.returncode:
        raise SystemExit(f"error: {done.stderr.strip().splitlines()[-1]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, wall, done.stdout


def repeated(rows: list[AlignedPair], pictures: int) -> list[AlignedPair]:
    """So many rows: those there are, again and again under other names."""
    return [
        row.model_copy(update={"pair_id": f"{turn}/{row.pair_id}", "sequence": f"{turn}/{row.sequence}"})
        for turn in range(-(-pictures // len(rows)))
        for row in rows
    ][:pictures]


def prepared(root: Path, work: Path, pictures: int | None) -> int:
    """Align the pairs and link their visible pictures into one folder; return how many there are."""
    align.run(AlignConfig(root=root.absolute(), out=work / "aligned", workers=os.cpu_count() or 1), report=False)
    rows = list(read_rows(work / "aligned/aligned.jsonl", AlignedPair))
    rows = repeated(rows, pictures or len(rows))
    write_rows(work / "aligned/aligned.jsonl", rows)
    (work / "pictures").mkdir()
    for number, row in enumerate(rows):
        (work / f"pictures/{number:06d}{Path(row.rgb).suffix}").symlink_to(root.absolute() / row.rgb)
    return len(rows)


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--pictures", type=int, help="so many, those there are again and again; default: each once")
    parser.add_argument("--workers", type=int, help="of ours; default: that of the command")
    given = parser.parse_args()
    try:
        peer = metadata("ultralytics")
    except PackageNotFoundError:
        raise SystemExit('error: ultralytics is not installed: pip install "cmd-tir[yolo]"') from None
    letterbox = "rect" if takes_any_size(given.weights) else "square"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        count = prepared(given.pairs, work, given.pictures)
        mining = ["mine", "--aligned", work / "aligned", "--method", "detection", "--weights", given.weights.absolute()]
        mining += ["--max-reject-ratio", 1]
        mining += ["--letterbox", "rect"] if letterbox == "rect" else []
        mining += ["--workers", given.workers] if given.workers else []
        peers, ours, boxes = [], [], ""
        for turn in range(ROUNDS):
            *told, boxes = spent(PEER, given.weights.absolute(), work / "pictures")
            peers.append(told)
            ours.append(spent(OURS, *mining, "--out", work / f"shards-{turn}")[:2])
        patches = load_index(work / "shards-0").totals["patches"]
    cpu, wall = zip(*([statistics.median(column) / count for column in zip(*runs)] for runs in (peers, ours)))
    report(
        "peers, detection",
        peer=f"ultralytics {peer['Version']} ({peer['License'] or peer['License-Expression']})",
        weights=given.weights.name,
        letterbox=letterbox,
        pictures=count,
        cpu_s_a_picture=dict(zip(("peer", "ours"), (round(each, 5) for each in cpu))),
        wall_s_a_picture=dict(zip(("peer", "ours"), (round(each, 5) for each in wall))),
        ratio_cpu=cpu[0] / cpu[1],
        ratio_wall=wall[0] / wall[1],
        boxes_of_the_peer=int(boxes.rpartition(":")[2]),
        patches=patches,
    )


if __name__ == "__main__":
    main()
