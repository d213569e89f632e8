"""One's own detector and mining method, from a file on PYTHONPATH, through the real command and its workers."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.files.hashing import file_sha256

from ..conftest import REPOSITORY, Data, Run, done, told
from ..pipeline.runtime.cluster import Cluster

DETECTOR = """
from pipeline.detect import Detections

class Middle:
    weights_sha256 = ""
    batch_size = 2

    def __init__(self, confidence):
        self.score = max(confidence, 0.5)

    def detect(self, images, pair_ids):
        return [self.one(image) for image in images]

    def one(self, image):
        height, width = image.shape[:2]
        return Detections.clipped([[width / 4, height / 4, width / 2, height / 2]], [self.score], [7], width, height)

def build(spec):
    return Middle(spec.confidence)
"""
BOXES = """
from pipeline.detect.boxes_file import build as build_boxes

def build(spec):
    return build_boxes(spec)
"""
METHOD = """
import os
from pathlib import Path

import numpy as np
from pydantic import Field

from pipeline.config import Settings
from pipeline.mine.methods import Method
from pipeline.mine.proposals import Proposal

if "TRACE" in os.environ:
    Path(os.environ["TRACE"]).touch()

class CornerOptions(Settings):
    side: float = Field(default=20, gt=1)

class Corner(Method):
    Options = CornerOptions

    def derive(self, pair):
        x, y, width, height = pair.common
        side = self.options.side
        return [Proposal(np.array([x, y, side, side]))] if min(width, height) >= side else []
"""


@pytest.fixture
def plugins(tmp_path: Path) -> Iterator[Path]:
    """A folder with modules of one's own, which this process has not imported."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "own_detector.py").write_text(DETECTOR)
    (folder / "own_boxes.py").write_text(BOXES)
    (folder / "own_method.py").write_text(METHOD)
    yield folder
    for name in ("own_detector", "own_boxes", "own_method"):
        sys.modules.pop(name, None)


def command(plugins: Path, *words: object, code: int = 0, tell: str = "", trace: Path | None = None) -> str:
    """The real command in a process of its own; an error is one line."""
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{plugins}", "OMP_NUM_THREADS": "1"}
    environment |= {"TRACE": str(trace)} if trace else {}
    start = [sys.executable, "-c", "import sys; from pipeline.cli import main; main(sys.argv[1:])"]
    words = (*start, *map(str, words))
    ended = subprocess.run(words, env=environment, cwd=plugins.parent, capture_output=True, text=True, check=False)
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(errors) == (code != 0), ended.stderr
    assert tell in "".join(errors), ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_a_detector_of_ones_own_that_reads_boxes_is_told_what_its_files_call_each_pair(
    data: Data, plugins: Path
) -> None:
    labels = plugins.parent / "labels"
    labels.mkdir()
    for row in data.rows:
        (labels / f"{row.pair_id.replace('/', '_')}.txt").write_text("7 0.5 0.5 0.4 0.4\n")
    words = ("mine", "--aligned", data.aligned, "--method", "detection", "--detector", "own_boxes:build")
    words = (*words, "--detections", labels, "--pairs-per-shard", 3, "--workers", 2, "--patch-size", 0)
    said = command(plugins, *words, "--out", data.root / "boxes")
    assert "0 (0% of the pairs stored)" in said
    for path in sorted((data.root / "boxes").glob("*.h5")):
        with h5py.File(path) as file:
            assert set(file["patches/class"][:]) == {7}


@pytest.mark.slow
def test_a_detector_of_ones_own_runs_in_worker_processes_and_is_recorded(data: Data, plugins: Path) -> None:
    words = ("mine", "--aligned", data.aligned, "--method", "detection", "--detector", "own_detector:build")
    words = (*words, "--pairs-per-shard", 2, "--workers", 2)
    command(plugins, *words, "--out", data.root / "two")
    for path in sorted((data.root / "two").glob("*.h5")):
        with h5py.File(path) as file:
            config = json.loads(file.attrs["config"])
            assert file.attrs["detector"] == config["detector"] == "own_detector:build"
            assert config["detector_source_sha256"] == file_sha256(plugins / "own_detector.py")
            assert set(file["patches/class"][:]) == {7}
    said = command(plugins, "verify", data.root / "two", "--deep")
    assert said.endswith(
        "sound; boxes of 6 pairs, by detection, not derived again: they follow from nothing in a shard\n"
    )
    (plugins / "own_detector.py").write_text(DETECTOR.replace("0.5)", "0.6)"))
    tell = f"recipe.detector_source_sha256: {config['detector_source_sha256'][:12]}… -> "
    command(plugins, *words, "--out", data.root / "two", code=2, tell=tell)


@pytest.mark.slow
def test_a_method_of_ones_own_runs_in_worker_processes_and_is_recorded(data: Data, plugins: Path) -> None:
    words = ("mine", "--aligned", data.aligned, "--method", "own_method:Corner", "--pairs-per-shard", 2, "--set")
    for workers in (1, 2):
        command(plugins, *words, "side=30", "--workers", workers, "--out", data.root / f"by-{workers}")
    one, two = (sorted((data.root / name).glob("*.h5")) for name in ("by-1", "by-2"))
    assert len(one) == 3
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    with h5py.File(one[0]) as file:
        config = json.loads(file.attrs["config"])
        assert file.attrs["method"] == config["method"] == "own_method:Corner"
        assert config["options"] == {"side": 30.0}
        assert config["method_source_sha256"] == file_sha256(plugins / "own_method.py")
        assert np.allclose(file["patches/box"][:, 2:], 30)
    again = (*words, "side=30", "--out", data.root / "by-1")
    command(plugins, *again, "--aligned", data.aligned)
    command(plugins, *words, "side=31", "--out", data.root / "by-1", code=2, tell="recipe.options.side: 30.0 -> 31.0")
    (plugins / "own_method.py").write_text(METHOD + "\n")
    command(plugins, *again, code=2, tell="recipe.method_source_sha256: ")
    tell = "3 faults"
    command(plugins, "verify", data.root / "by-1", "--deep", "--method", "own_method:Corner", code=3, tell=tell)


def test_verify_imports_nothing_on_a_shards_word_but_what_it_is_told_to(data: Data, plugins: Path) -> None:
    words = ("mine", "--aligned", data.aligned, "--method", "own_method:Corner", "--workers", 1, "--out")
    command(plugins, *words, data.root / "s")
    trace = data.root / "trace"
    said = command(plugins, "verify", data.root / "s", "--deep", trace=trace)
    left = "sound; boxes of 6 pairs, by own_method:Corner, not derived again: name it with --method own_method:Corner\n"
    assert said.endswith(left)
    assert not trace.exists()
    said = command(plugins, "verify", data.root / "s", "--deep", "--method", "own_method:Corner", trace=trace)
    assert said.endswith("patches: sound\n")
    assert trace.exists()


def test_verify_is_told_the_method_that_the_shards_record_or_none(data: Data, prep: Run) -> None:
    folder = data.root / "s"
    done(prep("mine", "--aligned", data.aligned, "--method", "center", "--out", folder))
    tell = f"--method own_method:Corner: {folder} was mined by center: name that method, or leave it out"
    told(prep("verify", folder, "--deep", "--method", "own_method:Corner"), 2, tell)
    told(prep("verify", folder, "--method", "center"), 2, "--method center is for --deep")
    assert done(prep("verify", folder, "--deep", "--method", "center")).endswith("patches: sound\n")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_both_run_on_the_workers_of_a_cluster(data: Data, plugins: Path, tmp_path: Path) -> None:
    """Whose workers must have the code too."""
    mine = ("mine", "--aligned", data.aligned, "--pairs-per-shard", 2)
    own = {
        "detector": ("--method", "detection", "--detector", "own_detector:build"),
        "method": ("--method", "own_method:Corner"),
    }
    with Cluster(tmp_path / "cluster", plugins=plugins) as cluster:
        for name, words in own.items():
            for place in (("--workers", 1), ("--scheduler", cluster.address)):
                command(plugins, *mine, *words, *place, "--out", data.root / f"{name}{place[0]}")
            made = [sorted((data.root / f"{name}{place}").glob("*.h5")) for place in ("--workers", "--scheduler")]
            assert [path.read_bytes() for path in made[0]] == [path.read_bytes() for path in made[1]]
            assert len(made[0]) == 3
    with Cluster(tmp_path / "bare") as cluster:
        words = (*own["method"], "--scheduler", cluster.address, "--out", data.root / "bare")
        command(plugins, *mine, *words, code=2, tell="mining method own_method:Corner: No module named 'own_method'")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_worker_that_lives_on_is_not_taken_for_one_with_the_new_code(
    data: Data, plugins: Path, tmp_path: Path
) -> None:
    """It runs what it imported, whatever the file says by now."""
    mine = ("mine", "--aligned", data.aligned, "--method")
    own = {
        "own_method": ("own_method:Corner", METHOD.replace("=20", "=30")),
        "own_detector": ("detection", "--detector", "own_detector:build", DETECTOR.replace("0.5)", "0.75)")),
    }
    with Cluster(tmp_path / "cluster", 1, plugins=plugins) as cluster:
        for name, (*words, later) in own.items():
            place = (*words, "--scheduler", cluster.address, "--out")
            command(plugins, *mine, *place, data.root / name / "before")
            (plugins / f"{name}.py").write_text(later)
            tell = f"{plugins / name}.py changed after this process had imported it: restart the process"
            command(plugins, *mine, *place, data.root / name / "after", code=2, tell=tell)
            assert not list((data.root / name / "after").glob("*.h5"))


def test_code_that_was_edited_after_a_notebook_imported_it_is_not_recorded(
    data: Data, plugins: Path, prep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(plugins)
    words = ("mine", "--aligned", data.aligned, "--method", "own_method:Corner", "--out")
    assert prep(*words, data.root / "before").exit_code == 0
    # Of another length too: a file of equal size and second Python itself takes for the one that it has compiled.
    (plugins / "own_method.py").write_text(METHOD.replace("=20", "=30.0"))
    told(prep(*words, data.root / "after"), 2, "own_method.py changed after this process had imported it")
    importlib.reload(sys.modules["own_method"])
    assert prep(*words, data.root / "after").exit_code == 0
    with h5py.File(data.root / "after/shard-00000.h5") as file:
        assert json.loads(file.attrs["config"])["method_source_sha256"] == file_sha256(plugins / "own_method.py")
        assert np.allclose(file["patches/box"][:, 2:], 30)


@pytest.mark.parametrize(
    ("given", "tell"),
    [
        (("--set", "sdie=30"), "did you mean side? it has side"),
        (("--set", "side=wide"), "side: Input should be a valid number"),
        (("--set", "side=0"), "side: Input should be greater than 1"),
        (("--set", "side"), "'side' is not NAME=VALUE"),
    ],
)
def test_a_setting_that_the_method_does_not_know_is_named(
    data: Data, plugins: Path, prep: Run, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], tell: str
) -> None:
    monkeypatch.syspath_prepend(plugins)
    words = ("mine", "--aligned", data.aligned, "--method", "own_method:Corner", "--out", data.root / "s")
    told(prep(*words, *given), 2, tell)


@pytest.mark.parametrize(
    ("words", "tell"),
    [
        (("--method", "centre"), "no mining method is called 'centre': did you mean center?"),
        (("--method", "detection", "--detector", "yol"), "no detector is called 'yol': did you mean yolo?"),
        (("--method", "nowhere:Own"), "mining method nowhere:Own: No module named 'nowhere'"),
        (("--method", "json:loads"), "mining method json:loads is no class derived from"),
        (("--method", "detection", "--detector", "nowhere:build"), "detector nowhere:build: No module named 'nowhere'"),
        (("--method", "detection", "--detector", "json:nothing"), "detector json:nothing: module json has no nothing"),
        (("--method", "detection", "--detector", "sys:exit"), "detector sys:exit: module sys comes from no file"),
        (("--method", "center", "--set", "side=3"), "--set side: --method center has no such setting: it has none"),
    ],
)
def test_what_cannot_be_used_is_one_line(data: Data, prep: Run, words: tuple[str, ...], tell: str) -> None:
    told(prep("mine", "--aligned", data.aligned, "--out", data.root / "s", *words), 2, tell)


def test_a_worker_with_another_version_of_the_code_makes_nothing(
    data: Data, plugins: Path, prep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: what the run is started with is hashed as something else than what its workers have."""
    monkeypatch.syspath_prepend(plugins)
    recipe = "pipeline.mine.methods.base.Method.recipe"
    monkeypatch.setattr(recipe, lambda method: {"method": method.settings.method, "method_source_sha256": "0" * 64})
    words = ("mine", "--aligned", data.aligned, "--method", "own_method:Corner", "--out", data.root / "s")
    told(prep(*words), 2, "method_source_sha256 on ", "the run was started with 0000000000000000: give every worker")
    assert not list((data.root / "s").glob("*.h5"))
