"""Files that would run code when unpickled are refused by name, and nothing of them runs."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch

from pipeline.errors import DataError
from trainer.checkpoints.unpickle import read_pickle
from trainer.checkpoints.weights import load_weights

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
    [(Hub(), "torch.hub.load"), (PurePosixPath("x"), "pathlib.PurePosixPath"), (np.float64(1), "scalar")],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_any_other_class_is_refused_by_name(tmp_path: Path, content: object, name: str, zipped: bool) -> None:
    torch.save({**GOOD, "extra": content}, tmp_path / "weights.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=rf"refused, since it names [\w.]*{name},"):
        read_pickle(tmp_path / "weights.pth")


def test_names_that_a_later_protocol_memoises(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(pickle.dumps([os.system, os.popen, os.fdopen], 4))
    with pytest.raises(DataError, match=rf"names {SYSTEM}, os\.popen, os\.fdopen,"):
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
