"""Whatever stands in a result file or a checkpoint: a value or one named error, and no code of theirs runs."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from pipeline.errors import CmdTirError
from trainer.checkpoints.weights import load_weights
from trainer.evaluate.results import read_result

SHORT = settings(max_examples=60, deadline=None)
OPCODES = st.sampled_from(
    [bytes([code]) for code in b"(}]).0125BCGIJKLMNRSTUVXabcdeghijlopqrstu\x80\x85\x86\x87\x8c\x93\x94"]
)
NUMBERS = st.text("0123456789.,;-+einfa \n\t", max_size=80)


def survive(action: Callable[[Path], object], name: str, content: bytes) -> None:
    """A value, or one of the project's errors."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            action(path)
        except CmdTirError as error:
            assert str(path) in str(error)
        assert [each.name for each in Path(folder).iterdir()] == [name], "something was run"


@SHORT
@given(NUMBERS | st.text(max_size=80))
def test_result_files(content: str) -> None:
    survive(read_result, "r.txt", content.encode("utf-8", "surrogatepass"))


@pytest.mark.slow
@SHORT
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_result_structs(tail: bytes, at: int, value: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        savemat(f"{folder}/x.mat", {"results": [[{"res": [[1.0, 2, 3, 4]], "type": "rect"}]]})
        whole = bytearray(Path(f"{folder}/x.mat").read_bytes())
    whole[at % len(whole)] = value
    survive(read_result, "r.mat", bytes(whole) + tail)
    survive(read_result, "r.mat", tail)


@SHORT
@given(st.lists(OPCODES | st.binary(max_size=6) | st.just(b"cos\nsystem\n") | st.just(b"S'touch x'\n"), max_size=12))
def test_pickles_of_any_opcodes(parts: list[bytes]) -> None:
    survive(load_weights, "w.pth", b"\x80\x02" + b"".join(parts) + b".")


@SHORT
@given(st.binary(max_size=100), st.integers(0, 2**64 - 1))
def test_safetensors_of_any_header(header: bytes, length: int) -> None:
    survive(load_weights, "w.safetensors", length.to_bytes(8, "little") + b"{" + header)
    survive(load_weights, "w.safetensors", (len(header) + 1).to_bytes(8, "little") + b"{" + header)


@SHORT
@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3), max_leaves=8))
def test_checkpoints_of_plain_values(content: object) -> None:
    survive(load_weights, "w.pth", pickle.dumps({"net": content}))
    with tempfile.TemporaryDirectory() as folder:
        torch.save(content, f"{folder}/x")
        survive(load_weights, "w.pth", Path(f"{folder}/x").read_bytes())
