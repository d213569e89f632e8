"""What a user can feed the project, each as a function of one path; a sandbox imports this."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pipeline import detect, mine
from pipeline.align import AlignConfig
from pipeline.align.calibration import calibrate, fingerprint
from pipeline.detect import DetectorSpec, Pairs, Surveys, build_detector
from pipeline.files.json_text import read_json
from pipeline.images import decode_rgb, decode_tir, read_bytes
from pipeline.manifests import load_manifest
from pipeline.mine import MineConfig
from pipeline.mine.rederive import rederive
from pipeline.pairing.discovery.discover import discover
from pipeline.pairing.discovery.lists import FrameList, read_map
from pipeline.pairing.discovery.recognition import manifest_of
from pipeline.records import AlignedPair, read_rows
from pipeline.shards.reader import ShardReader
from pipeline.shards.verify import verify
from trainer.evaluate.results import read_result
from trainer.sequences.benchmark import load_benchmark

cv2.setNumThreads(1)
PICTURE = np.zeros((48, 64, 3), np.uint8)


def shard(path: Path) -> int:
    """Every dataset and every picture of a shard, without a look at its hash."""
    reader = ShardReader(path)
    names = ("box", "state", "label", "score", "class", "pair")
    size = sum(reader.array(f"patches/{name}").nbytes for name in names)
    if "patches/rgb" in reader.file:
        size += sum(reader.array(f"patches/{name}").nbytes for name in ("rgb", "tir"))
    for pair in range(len(reader.ids())):
        size += reader.rgb(pair).size + reader.tir(pair).size
    reader.close()
    return size


def verified(folder: Path) -> tuple[str, ...]:
    """The faults of a folder of shards."""
    return verify(folder, deep=rederive).faults


def picture(path: Path) -> tuple[int, ...]:
    """A picture as both sides read it."""
    data = read_bytes(path)
    return decode_rgb(data, path.name).shape + decode_tir(data, path.name, (0, 1)).shape


def manifest(path: Path) -> str:
    """The name in a manifest."""
    return load_manifest(str(path)).name


def pairs(root: Path) -> int:
    """The pairs below a root in KAIST's layout, or by the manifest that lies in it."""
    own = root / "manifest.yaml"
    found, _ = manifest_of(root, str(own) if own.is_file() else "kaist")
    return sum(len(sequence.pairs) for sequence in discover(root, found))


def aligned(path: Path) -> int:
    """Rows of ``aligned.jsonl``."""
    return sum(1 for _ in read_rows(path, AlignedPair))


def mined(folder: Path) -> int:
    """Pairs mined from ``folder``/aligned."""
    config = {"aligned": folder / "aligned", "out": folder / "out", "method": "random", "on_existing": "overwrite"}
    return mine.run(MineConfig.model_validate(config)).pairs


def detections(path: Path) -> int:
    """Boxes of a file or folder for the pair a/b."""
    detect._built.cache_clear()
    detector = build_detector(DetectorSpec(name="boxes", detections=path))
    assert isinstance(detector, Surveys)
    names = detector.survey(Pairs({"a/b": PICTURE.shape[1::-1]})).names
    return len(detector.detect([PICTURE], [names["a/b"]])[0])


def listed(path: Path) -> int:
    """Entries of a list of frames."""
    return len(FrameList(path.parent, path.name).entries)


def mapped(path: Path) -> int:
    """Entries of a map of names."""
    return len(read_map(path.parent, path.name))


def summary(path: Path) -> int:
    """Keys of a JSON file such as ``align.json``."""
    return len(read_json(path))


def rigs(path: Path) -> int:
    """Cameras of a file of known matrices."""
    fingerprint(path)
    return len(calibrate(AlignConfig(root=path, out=path, homographies=path), load_manifest("kaist")))


def result(path: Path) -> int:
    """Rows of a tracker's result file."""
    return len(read_result(path))


def benchmark(folder: Path) -> int:
    """Sequences of a benchmark whose manifest and annotations lie in a folder."""
    return len(load_benchmark(str(folder / "manifest.yaml"), folder).sequences)
