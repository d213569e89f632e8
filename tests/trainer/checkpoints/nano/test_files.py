"""Which files an option means that names one of two, or a folder with both; and the hash that tells them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.files.hashing import file_sha256
from trainer.checkpoints.model_file import MODEL, weights_file, weights_sha256
from trainer.checkpoints.nano_onnx import BACKBONE, HEAD
from trainer.trackers.model import find_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (BACKBONE, HEAD):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_folder_with_both_files_means_these(folder: Path) -> None:
    assert weights_file(folder) == folder / HEAD
    assert find_model(folder, "nanotrack_v2").file == folder / HEAD


def test_the_model_of_a_run_goes_before_what_was_exported_beside_it(folder: Path) -> None:
    (folder / MODEL).touch()
    assert weights_file(folder) == folder / MODEL


def test_a_folder_without_either_is_told_as_a_run_that_lacks_its_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"--weights {tmp_path / MODEL}: no such file"):
        weights_file(tmp_path, "--weights")


@pytest.mark.parametrize("name", [BACKBONE, HEAD])
def test_a_folder_with_one_file_of_the_two_names_the_other(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UsageError, match=rf"^{folder / name}: no such file: a network in ONNX is two files"):
        find_model(folder, "nanotrack_v2")


@pytest.mark.parametrize("name", [BACKBONE, HEAD])
def test_another_file_of_the_two_is_another_model(folder: Path, name: str) -> None:
    before = weights_sha256(folder / HEAD)
    assert weights_sha256(folder / BACKBONE) == before
    (folder / name).write_text("another")
    assert weights_sha256(folder / HEAD) != before


def test_a_file_alone_has_its_own_hash(folder: Path) -> None:
    (folder / MODEL).write_text("weights")
    assert weights_sha256(folder / MODEL) == file_sha256(folder / MODEL)
