"""Whatever stands in a file that a user hands to `cmd-prep`, what comes back is a value or one named error."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.detect import DetectorSpec, Pairs
from pipeline.detect.boxes_file import build
from pipeline.errors import CmdTirError
from pipeline.files.json_text import read_json
from pipeline.images import decode_rgb
from pipeline.manifests import load_manifest
from pipeline.pairing.discovery.lists import FrameList, read_map
from pipeline.records import AlignedPair, Reject, read_rows
from pipeline.shards.index import load_index
from pipeline.shards.reader import ShardReader

SHORT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ("name", "title", "kind", "source", "licence", "rgb", "tir", "rule", "members", "extends", "prior")
)
YAML = st.dictionaries(KEYS, JSON, max_size=8).map(json.dumps)
COCO = st.fixed_dictionaries(
    {
        "images": st.lists(st.dictionaries(st.sampled_from(("id", "file_name")), JSON), max_size=2) | JSON,
        "annotations": st.lists(
            st.dictionaries(st.sampled_from(("image_id", "category_id", "bbox", "score", "iscrowd")), JSON), max_size=3
        )
        | JSON,
    }
)
RESULTS = st.lists(
    st.fixed_dictionaries(
        {"image_id": st.just("a/b"), "category_id": JSON, "bbox": st.lists(st.floats() | st.integers(), max_size=5)},
        optional={"score": JSON},
    ),
    max_size=3,
)
PICTURE = np.zeros((48, 64, 3), np.uint8)


def survive(action: Callable[[Path], object], name: str, content: bytes) -> None:
    """A value, or one of the project's errors, in one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        try:
            action(path)
        except CmdTirError as error:
            assert str(error)
            assert error.exit_code in (2, 3)


def detect(path: Path) -> None:
    detector = build(DetectorSpec(name="boxes", detections=path))
    detector.detect([PICTURE], [detector.survey(Pairs({"a/b": PICTURE.shape[1::-1]})).names["a/b"]])


@SHORT
@given(st.text(max_size=200) | YAML)
@example("name: x\nkind: pairs\nrgb: '{frame}'\ntir: '{frame}'\ntitle: t\nsource: s\nlicence: l\nstride: 1e400")
def test_manifests(content: str) -> None:
    survive(lambda path: load_manifest(str(path)), "m.yaml", content.encode("utf-8", "surrogatepass"))


@SHORT
@given(st.binary(max_size=200))
def test_manifests_of_bytes(content: bytes) -> None:
    survive(lambda path: load_manifest(str(path)), "m.yaml", content)


@SHORT
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_rows_and_json(content: bytes) -> None:
    survive(lambda path: list(read_rows(path, AlignedPair)), "a.jsonl", content)
    survive(lambda path: list(read_rows(path, Reject)), "r.jsonl", content)
    survive(read_json, "x.json", content)
    survive(lambda path: load_index(path.parent), "index.json", content)


@SHORT
@given(st.sampled_from(sorted(AlignedPair.model_fields)), JSON)
def test_rows_with_one_field_of_any_kind(field: str, value: object) -> None:
    row = {"pair_id": "a/b", "sequence": "a", "frame": "b", "rgb": "a.jpg", "tir": "b.jpg", "rgb_size": [4, 4]}
    row |= {"tir_size": [4, 4], "homography": [1, 0, 0, 0, 1, 0, 0, 0, 1], "model": "affine", "score": 1, "scores": {}}
    survive(lambda path: list(read_rows(path, AlignedPair)), "a.jsonl", json.dumps(row | {field: value}).encode())


@SHORT
@given(JSON | COCO | RESULTS)
@example([{"image_id": "a/b", "category_id": 10**400, "bbox": [1, 2, 3, 4]}])
@example([{"image_id": "a/b", "category_id": 1, "bbox": [10**400, 2, 3, 4]}])
@example({"images": [], "annotations": [], "categories": [{"id": [], "name": "x"}]})
def test_coco(content: object) -> None:
    survive(detect, "b.json", json.dumps(content).encode())


@SHORT
@given(JSON, st.lists(st.lists(st.floats() | st.integers(), max_size=5) | JSON, max_size=3))
def test_rows_of_boxes(scores: object, boxes: object) -> None:
    survive(detect, "b.jsonl", json.dumps({"pair_id": "a/b", "boxes": boxes, "scores": scores}).encode())


@SHORT
@given(st.text("0123456789.-+einfa \n\t", max_size=60) | st.text(max_size=60))
def test_yolo_text(content: str) -> None:
    survive(lambda path: detect(path.parent), "a_b.txt", content.encode("utf-8", "surrogatepass"))


@SHORT
@given(st.text(max_size=120) | JSON.map(json.dumps))
def test_lists_and_maps_of_frames(content: str) -> None:
    data = content.encode("utf-8", "surrogatepass")
    survive(lambda path: FrameList(path.parent, path.name), "list.txt", data)
    survive(lambda path: read_map(path.parent, path.name), "map.txt", data)


@SHORT
@given(st.binary(max_size=300), st.sampled_from((b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"GIF89a")))
def test_pictures(content: bytes, head: bytes) -> None:
    survive(lambda path: decode_rgb(path.read_bytes(), path.name), "p.jpg", head + content)


@SHORT
@given(st.data())
def test_shards_with_any_byte_of_their_datasets_wrong(mined: dict[str, Path], data: st.DataObject) -> None:
    """Values only: bytes that HDF5 itself reads are bent in tests/faults, where a crash can be caught."""
    path = mined["random"] / "shard-00000.h5"
    content = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        names = ("pairs/rgb/offset", "pairs/tir/bytes", "pairs/id", "patches/box", "patches/pair", "pairs/valid")
        name = data.draw(st.sampled_from(names))
        start, size = file[name].id.get_offset(), file[name].id.get_storage_size()
    content[start + data.draw(st.integers(0, size - 1))] = data.draw(st.integers(0, 255))

    def read(copy: Path) -> None:
        reader = ShardReader(copy)
        for pair in range(len(reader.ids())):
            reader.rgb(pair)
            reader.tir(pair)

    survive(read, "shard.h5", bytes(content))


@pytest.mark.parametrize("name", ["m.yaml", "b.json", "b.jsonl"])
def test_the_harness_sees_an_error_that_is_not_named(name: str) -> None:
    def fail(path: Path) -> None:
        raise ValueError(path)

    with pytest.raises(ValueError, match=name):
        survive(fail, name, b"")
