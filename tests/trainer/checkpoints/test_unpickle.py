"""Files that would run code when unpickled are refused by name, and nothing of them runs."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch

from pipeline.errors import DataError
from trainer.checkpoints.unpickle import read_pickle
from trainer.checkpoints.weights import load_weights

scalar = np.float64(0).__reduce__()[0]
"""What NumPy's scalars are pickled with."""
GOOD = {"net": {"weight": torch.ones(2)}}


class Touch:
    """Unpickling it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


class Hub:
    """Unpickling it would fetch code through a function of torch's own."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return torch.hub.load, ("somebody/something",)


SYSTEM = f"{os.system.__module__}.system"

WRITERS: dict[str, Callable[[object, Path], None]] = {
    "zip": torch.save,
    "zip with a later protocol": lambda content, path: torch.save(content, path, pickle_protocol=4),
    "stream": lambda content, path: torch.save(content, path, _use_new_zipfile_serialization=False),
    "pickle": lambda content, path: path.write_bytes(pickle.dumps(content)) and None,
    "pickle 0": lambda content, path: path.write_bytes(pickle.dumps(content, 0)) and None,
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_malicious_file_is_refused_by_name_and_does_not_run(tmp_path: Path, writer: str) -> None:
    path, mark = tmp_path / "weights.pth.tar", tmp_path / "mark"
    content = {**GOOD, "settings": Touch(mark)} if "pickle" not in writer else Touch(mark)
    WRITERS[writer](content, path)
    with pytest.raises(DataError) as caught:
        load_weights(path)
    assert str(caught.value).startswith(f"{path}: refused, since it names {SYSTEM},")
    assert "\n" not in str(caught.value)
    assert not mark.exists()


def test_the_malicious_file_works_where_it_is_trusted(tmp_path: Path) -> None:
    """Without this the test above could pass on a harmless file."""
    torch.save(Touch(tmp_path / "mark"), tmp_path / "weights.pth")
    torch.load(tmp_path / "weights.pth", weights_only=False)
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [(Hub(), "torch.hub.load"), (PurePosixPath("x"), "pathlib.PurePosixPath"), (np.ones(2), "_reconstruct")],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_any_other_class_is_refused_by_name(tmp_path: Path, content: object, name: str, zipped: bool) -> None:
    torch.save({**GOOD, "extra": content}, tmp_path / "weights.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=rf"refused, since it names [\w.]*{name},"):
        read_pickle(tmp_path / "weights.pth")


class Scalar:
    """A value of NumPy as a file may describe one: honestly, or to make something else of it."""

    def __init__(self, code: object, data: object, order: object = "<", kind: object = None) -> None:
        self.parts = code, data, order, kind

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, object]]:
        code, data, order, kind = self.parts
        return scalar, (kind or Kind(code, order), data)


class Kind:
    """A type of NumPy, likewise."""

    def __init__(self, code: object, order: object) -> None:
        self.code, self.order = code, order

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...], tuple[object, ...]]:
        return np.dtype, (self.code, False, True), (3, self.order, None, None, None, -1, -1, 0)


NUMBERS = [
    np.float64(1.5), np.float32(-0.25), np.float16(2), np.int64(-3), np.int8(-7), np.uint16(65535), np.bool_(True),
    np.float64("nan"), np.dtype(">f8").type(2.5),
]  # fmt: skip


@pytest.mark.parametrize("zipped", [True, False])
def test_numbers_of_numpy_come_out_as_plain_numbers(tmp_path: Path, zipped: bool) -> None:
    torch.save({**GOOD, "stats": NUMBERS}, tmp_path / "weights.pth", _use_new_zipfile_serialization=zipped)
    content = read_pickle(tmp_path / "weights.pth")
    assert isinstance(content, dict)
    found = content["stats"]
    assert [type(number) for number in found] == [float] * 3 + [int] * 3 + [bool, float, float]
    np.testing.assert_array_equal(found, [number.item() for number in NUMBERS])
    assert load_weights(tmp_path / "weights.pth").keys() == {"weight"}


def test_both_names_and_both_byte_orders_of_a_number_are_read(tmp_path: Path) -> None:
    content = {"stats": [Scalar("f8", np.array(2.5, ">f8").tobytes(), ">"), Scalar("i4", b"\1\0\0\0")]}
    for name in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
        data = pickle.dumps(content, 2).replace(scalar.__module__.encode(), name)
        assert name in data
        write_zip(tmp_path / "weights.pth", data)
        assert read_pickle(tmp_path / "weights.pth") == {"stats": [2.5, 1]}


def write_zip(path: Path, data: bytes) -> None:
    """A file of ``torch.save`` whose pickle is ``data``."""
    torch.save({}, path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, data if name.endswith("data.pkl") else content)


@pytest.mark.parametrize(
    "hostile",
    [
        Scalar("O8", b"\0" * 8, "|"),
        Scalar("O8", Touch(Path("mark")), "|"),
        Scalar("V8", b"\0" * 8),
        Scalar("f8", b"\0" * 7),
        Scalar("f8", b"\0" * 800),
        Scalar("f8", "text"),
        Scalar("f8", b"\0" * 8, "O"),
        Scalar("f8,O", b"\0" * 16),
        Scalar([("a", "O")], b"\0" * 8),
        Scalar("S5", b"hello"),
        Scalar(None, b"\0" * 8, kind=[1]),
    ],
    ids=range(11),
)
def test_what_only_looks_like_a_number_is_refused(
    tmp_path: Path, hostile: Scalar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_zip(tmp_path / "weights.pth", pickle.dumps({"stats": hostile}, 2))
    with pytest.raises(DataError, match=r"weights\.pth: refused, since it (holds a value of NumPy|names \w+\.system)"):
        read_pickle(tmp_path / "weights.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pth"]


def test_names_that_a_later_protocol_memoises(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(pickle.dumps([os.system, os.popen, os.fdopen], 4))
    with pytest.raises(DataError, match=rf"names {SYSTEM}, os\.popen, os\.fdopen,"):
        read_pickle(tmp_path / "weights.pth")


def test_words_of_a_text_are_no_names_of_classes(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_text("import cv2\n\ncapture = cv2.VideoCapture(0)\n")
    with pytest.raises(DataError, match=r"weights\.pth: not a weights file of torch"):
        read_pickle(tmp_path / "weights.pth")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_files_are_data_errors(tmp_path: Path, zipped: bool, damage: str) -> None:
    buffer = io.BytesIO()
    torch.save(GOOD, buffer, _use_new_zipfile_serialization=zipped)
    whole, generator, refused = buffer.getvalue(), np.random.default_rng(0), 0
    for _ in range(150):
        content = bytearray(whole)
        if damage == "cut":
            content = content[: generator.integers(len(whole))]
        else:
            for _ in range(4):
                content[generator.integers(min(len(whole), 700))] = int(generator.integers(256))
        (tmp_path / "weights.pth").write_bytes(content)
        try:
            load_weights(tmp_path / "weights.pth")
        except DataError as error:
            refused += 1
            assert "weights.pth: " in str(error)
    assert refused > 50
