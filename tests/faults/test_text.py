"""Manifests, annotations, rows and trees built to harm: a named error within bounds, and nothing outside is read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import draw_aligned, draw_tree
from . import actions
from .conftest import Tally
from .sandbox import Sandbox

BIG = 100_000_000
HEAD = "name: mine\ntitle: t\nkind: pairs\nsource: s\nlicence: l\n"
SEQUENCES = HEAD.replace("pairs", "sequences") + "frames: ['{sequence}']\ntruth: ['{sequence}.txt']\n"
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


def text(name: str, content: str | bytes, times: int = 1) -> Callable[[Path], Path]:
    """A file that repeats a content."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((content if isinstance(content, bytes) else content.encode()) * times)
        return path

    return write


def label_out(folder: Path) -> Path:
    """A folder of YOLO labels of which one is a link to a file elsewhere."""
    (folder / "b").mkdir()
    (folder / "b/a_b.txt").symlink_to("/etc/passwd")
    return folder / "b"


def row(folder: Path, **changes: object) -> Path:
    """Aligned pairs of which one is bent."""
    data = draw_aligned(folder)
    first = json.dumps(data.rows[0].model_dump(mode="json") | changes)
    rest = [each.model_dump_json() for each in data.rows[1:]]
    (data.aligned / "aligned.jsonl").write_text("\n".join([first, *rest]) + "\n")
    return folder


def tree(folder: Path, change: Callable[[Path], object], manifest: str = "") -> Path:
    root = draw_tree(folder / "data", 1, 2)
    change(root)
    if manifest:
        (root / "manifest.yaml").write_text(HEAD + manifest)
    return root


def link_out(root: Path) -> None:
    (root / "set00/V000/visible/I00000.jpg").unlink()
    (root / "set00/V000/visible/I00000.jpg").symlink_to("/etc/passwd")


def boxes(*box: object) -> str:
    return json.dumps({"pair_id": "a/b", "boxes": [list(box)]}) + "\n"


Case = tuple[Callable[[Path], object], Callable[[Path], Path], str]
YAML: dict[str, Case] = {
    "billion laughs": (actions.manifest, text("m.yaml", LAUGHS), "aliases are not allowed"),
    "deep nesting": (actions.manifest, text("m.yaml", "a: " + "[" * 90_000), "m.yaml"),
    "deep mappings": (actions.manifest, text("m.yaml", "{a: " * 40_000), "m.yaml"),
    "python tag": (actions.manifest, text("m.yaml", "a: !!python/object/apply:os.system [touch x]"), "tags"),
    "larger than a manifest": (actions.manifest, text("m.yaml", b"a: xxxx\n", BIG // 8), "larger than"),
    "bytes that are no text": (actions.manifest, text("m.yaml", bytes(range(256)) * 9), "m.yaml"),
    "a null": (actions.manifest, text("m.yaml", "a: \0"), "m.yaml"),
    "extends itself": (actions.manifest, text("m.yaml", "extends: ./m.yaml"), "does it extend itself"),
    "climbs out": (actions.manifest, text("m.yaml", HEAD + "rgb: ../{frame}.jpg\ntir: t/{frame}.jpg"), "leaves the"),
    "absolute": (actions.manifest, text("m.yaml", HEAD + "rgb: /etc/{frame}\ntir: t/{frame}.jpg"), "leaves the"),
    "not a number": (
        actions.manifest,
        text("m.yaml", HEAD + "prior: matrix\nmatrix: [.nan,0,0,0,1,0,0,0,1]"),
        "m.yaml",
    ),
    "a number of a million digits": (actions.manifest, text("m.yaml", HEAD + "stride: " + "9" * 150_000), "stride"),
}
ROWS: dict[str, Case] = {
    "a line of 100 MB": (actions.aligned, text("a.jsonl", b"{", BIG), "line is longer than"),
    "a line of 100 MB of boxes": (actions.detections, text("b.jsonl", b"[", BIG), "line is longer than"),
    "deep json": (actions.aligned, text("a.jsonl", "[" * 900_000), "a.jsonl:1"),
    "nan matrix": (actions.mined, lambda f: row(f, homography=[float("nan")] * 9), "homography"),
    "infinite matrix": (actions.mined, lambda f: row(f, homography=[float("inf")] * 9), "homography"),
    "singular matrix": (actions.mined, lambda f: row(f, homography=[0.0] * 9), ""),
    "matrix beyond float32": (actions.mined, lambda f: row(f, homography=[1e308] * 9), ""),
    "matrix with a horizon": (actions.mined, lambda f: row(f, homography=[1, 0, 0, 0, 1, 0, -0.02, 0, 1]), ""),
    "a size of no picture": (actions.mined, lambda f: row(f, rgb_size=[2**31, 2**31]), ""),
    "a negative size": (actions.mined, lambda f: row(f, tir_size=[-5, 5]), ""),
    "a path out of the root": (actions.mined, lambda f: row(f, rgb="a/../../x.jpg"), "leaves the data set's root"),
    "a null in a path": (actions.mined, lambda f: row(f, rgb="a\0b.jpg"), ""),
    "a path of 100 kB": (actions.mined, lambda f: row(f, rgb="a" * 100_000), ""),
    "an id of a null": (actions.mined, lambda f: row(f, pair_id="a\0"), ""),
    "a range of nothing": (actions.mined, lambda f: row(f, tir_range=[5, 5]), ""),
    "rigs of nan": (actions.rigs, text("h.json", '{"cameras": {"a": {"homography": [NaN,0,0,0,1,0,0,0,1]}}}'), ""),
}
BOXES: dict[str, Case] = {
    "nan": (actions.detections, text("b.jsonl", boxes(float("nan"), 0, 1, 1)), "boxes"),
    "infinite": (actions.detections, text("b.jsonl", boxes(0, 0, float("inf"), 1)), "boxes"),
    "huge": (actions.detections, text("b.jsonl", boxes(1e308, 1e308, 1e308, 1e308)), ""),
    "a class of 400 digits": (
        actions.detections,
        text("b.json", '[{"image_id": "a/b", "category_id": %s, "bbox": [1,2,3,4]}]' % ("9" * 400)),
        "b.json",
    ),
    "coco nan": (
        actions.detections,
        text("b.json", '[{"image_id": "a/b", "category_id": 1, "bbox": [NaN,2,3,4]}]'),
        "b",
    ),
    "coco 1e999": (
        actions.detections,
        text("b.json", '[{"image_id": "a/b", "category_id": 1, "bbox": [1e999,2,3,4]}]'),
        "b",
    ),
    "coco with an unhashable id": (
        actions.detections,
        text("b.json", '{"images": [{"id": []}], "annotations": []}'),
        "b",
    ),
    "coco with a null box": (
        actions.detections,
        text("b.json", '[{"image_id": 1, "category_id": 1, "bbox": null}]'),
        "b",
    ),
    "coco of brackets": (actions.detections, text("b.json", "[", 10_000_000), "not valid JSON"),
    "a link out of yolo": (actions.detections, label_out, "symbolic link leads out"),
    "yolo pixels": (actions.detections, text("b/a_b.txt", "0 100 100 50 50\n"), ""),
    "results of nan words": (actions.result, text("r.txt", "a,b,c,d\n" * 9), "r.txt:1"),
    "results of 100 MB": (actions.result, text("r.txt", b"1,2,3,4\n", BIG // 8), "larger than"),
    "results in one line": (actions.result, text("r.txt", b"1,", 7_000_000), "r.txt:1: row is longer"),
    "a mat of noise": (actions.result, text("r.mat", os.urandom(5000)), "r.mat"),
}
TREES: dict[str, Case] = {
    "a link out of the root": (actions.pairs, lambda f: tree(f, link_out), "symbolic link leads out"),
    "a folder that links out": (
        actions.pairs,
        lambda f: tree(f, lambda root: (root / "set00/V001").symlink_to("/etc")),
        "symbolic link leads out",
    ),
    "a link to itself": (actions.pairs, lambda f: tree(f, lambda root: (root / "set00/V001").symlink_to("V001")), ""),
    "a loop of folders": (actions.pairs, lambda f: tree(f, lambda root: (root / "set00/V000/x").symlink_to(root)), ""),
    "a name that is no text": (
        actions.pairs,
        lambda f: tree(
            f, lambda root: Path(os.fsdecode(os.fsencode(root / "set00/V000/visible/I") + b"\xff.jpg")).touch()
        ),
        "is not UTF-8: rename it",
    ),
    "a pattern that never ends": (
        actions.pairs,
        lambda f: tree(
            f, lambda root: (root / ("a" * 250)).mkdir(), f"rgb: '{'*a' * 20}b/{{frame}}'\ntir: 'lwir/{{frame}}'\n"
        ),
        "",
    ),
    "annotations that climb out": (
        actions.benchmark,
        lambda f: text("manifest.yaml", SEQUENCES + "sequences: {../../etc/passwd: 5}\n")(f).parent,
        "",
    ),
}
CASES = {**YAML, **ROWS, **BOXES, **TREES}


@pytest.mark.parametrize("case", CASES)
def test_what_is_built_to_harm_is_a_named_error(case: str, tmp_path: Path, box: Sandbox, tally: Tally) -> None:
    action, build, part = CASES[case]
    outcome = box.attempt(action, build(tmp_path))
    tally("hostile text", outcome.survived)
    shutil.rmtree(tmp_path, ignore_errors=True)
    assert outcome.survived, outcome.told
    if part:
        assert outcome.kind == "named", outcome.told
        assert part in outcome.told
        assert "\n" not in outcome.told.strip()
        assert len(outcome.told) < 2000
    assert "root:x:" not in outcome.told
