"""What the tests share: reference material, tiny pairs drawn in numpy, aligned rows written directly, the command."""

from __future__ import annotations

import functools
import gc
import importlib.util
import json
import os
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings
from numpy.typing import NDArray

from pipeline import images, mine
from pipeline.cli import main
from pipeline.mine import MineConfig
from pipeline.pairing.registration import quality
from pipeline.pairing.registration.register import Registration
from pipeline.records import AlignedPair, write_rows

from . import on_gpu

# A busy machine is no fault of the code: speed is measured in benchmarks/, never in a test.
settings.register_profile("cmd-tir", deadline=None)
settings.load_profile("cmd-tir")

device, pytest_runtest_makereport = on_gpu.device, on_gpu.pytest_runtest_makereport
REPOSITORY = Path(__file__).resolve().parents[1]
SIZE = (160, 128)
"""Width and height of the tests' own pictures."""
IDENTITY = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is imported and collected is garbage: to look for some took a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests may take longest, so that no worker is left alone with one at the end."""
    longest: dict[Path, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0), mark.args[0] if mark else 0)
    items.sort(key=lambda item: -longest[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """A worker can hand on UTF-8 alone, and some tests log names that are none."""
    return in_utf_8((yield))


def in_utf_8(value: Any) -> Any:
    """A value with what is not UTF-8 in its strings escaped."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {key: in_utf_8(each) for key, each in value.items()}
    # A tuple stays one: pytest asserts that the reason of a skip is.
    return type(value)(in_utf_8(each) for each in value) if isinstance(value, list | tuple) else value


def shared(name: str) -> Path:
    """A file of the reference material that lies beside a checkout, or a skip where there is none."""
    path = REPOSITORY.parent / "shared" / name
    if not path.exists():
        pytest.skip(f"needs ../shared/{name}, which is not beside this checkout")
    return path


def tool(name: str, *words: str | Path) -> tuple[int, str]:
    """What ``python -m tools.NAME`` ends with and says of it, run in this process, which has imported most of it."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", [name, *map(str, words)])
        runpy.run_module(f"tools.{name}", run_name="__main__")
    return (1, ended.value.code) if isinstance(ended.value.code, str) else (ended.value.code or 0, "")


def console_script(folder: Path, name: str) -> Path:
    """An executable script in ``folder`` such as pip writes for an entry of ``[project.scripts]``."""
    scripts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts[name].partition(":")
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    path.chmod(0o755)
    return path


def script_without_guard(folder: Path, imports: str, work: str) -> None:
    """See that a script which does work in processes outside of a main guard is told what it lacks, once.

    Each worker begins the script anew, and so would start workers of its own.
    """
    script = folder / "script.py"
    script.write_text(
        f"from pipeline.errors import CmdTirError\n{imports}\n"
        f"try:\n    print(list({work}))\nexcept CmdTirError as error:\n    print('told:', error)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout.startswith("told: a worker process ended before it could begin")
    assert 'under `if __name__ == "__main__":`' in ended.stdout
    assert len(ended.stdout.splitlines()) == 1


def reference_module(name: str) -> ModuleType:
    """``recipe`` or ``load_reference`` from beside the reference cases, loaded once: the second imports the first."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, shared(f"parity/{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def draw_pair(seed: int, size: tuple[int, int] = SIZE) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A structured visible picture (h, w, 3) R, G, B and a thermal one (h, w) of the same plane."""
    rgb, tir = _drawn_pair(seed, size)
    return rgb.copy(), tir.copy()


@functools.lru_cache(256)
def _drawn_pair(seed: int, size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Drawn once for all tests of a process."""
    rng = np.random.default_rng(seed)
    plane = cv2.resize(rng.random((5, 6)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    for _ in range(25):
        x, y = (int(rng.integers(0, side)) for side in size)
        cv2.rectangle(
            plane, (x, y), (x + int(rng.integers(8, 40)), y + int(rng.integers(8, 40))), float(rng.random()), -1
        )
    plane = np.clip(plane, 0, 1)
    rgb = plane[..., None] * np.array([1.0, 0.7, 0.4]) * 200 + 25
    return rgb.astype(np.uint8), (np.abs(plane - 0.5) * 300 + 40).astype(np.uint8)


def draw_tree(root: Path, sequences: int = 2, frames: int = 3) -> Path:
    """A KAIST-style tree of JPEG pairs."""
    for sequence in range(sequences):
        for frame in range(frames):
            rgb, tir = draw_pair(100 * sequence + frame)
            for side, picture in (("visible", rgb), ("lwir", tir)):
                path = root / f"set00/V{sequence:03d}/{side}/I{frame:05d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(images.encode(picture, ".jpg"))
    return root


@dataclass(frozen=True)
class Data:
    """A data set with the rows that ``align`` would have written."""

    root: Path
    aligned: Path
    rows: tuple[AlignedPair, ...]

    def rewrite(self, rows: list[AlignedPair]) -> None:
        """Write ``aligned.jsonl`` again."""
        write_rows(self.aligned / "aligned.jsonl", rows)


def draw_aligned(folder: Path) -> Data:
    """Six pairs: two as they are, one shifted, one of half the size, one with 16-bit TIR, one grey visible picture."""
    root, aligned = folder / "data", folder / "aligned"
    aligned.mkdir(parents=True)
    half = (2.0, 0, 0.5, 0, 2.0, 0.5, 0, 0, 1.0)
    shift = (1.0, 0.01, 6.5, -0.01, 1.0, -4.25, 0, 0, 1.0)
    rows = []
    for number, homography in enumerate((IDENTITY, IDENTITY, shift, half, IDENTITY, shift)):
        rgb, tir = draw_pair(number)
        tir16 = number == 4
        if number == 3:
            tir = cv2.resize(tir, (SIZE[0] // 2, SIZE[1] // 2), interpolation=cv2.INTER_AREA).astype(np.uint8)
        raw = cv2.imencode(".png", tir.astype(np.uint16) * 20 + 7000)[1].tobytes()
        files = {
            f"seq{number % 2}/visible/{number}.jpg": images.encode(rgb[..., 0] if number == 5 else rgb, ".jpg"),
            f"seq{number % 2}/lwir/{number}.png": raw if tir16 else images.encode(tir, ".png"),
        }
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        visible, thermal = files
        rows.append(
            AlignedPair(
                pair_id=f"seq{number % 2}/{number}",
                sequence=f"seq{number % 2}",
                frame=str(number),
                rgb=visible,
                tir=thermal,
                rgb_size=SIZE,
                tir_size=(tir.shape[1], tir.shape[0]),
                homography=homography,
                model="homography",
                score=0.1 + 0.15 * number,
                scores={},
                tir_range=(7000.0, 12100.0) if tir16 else None,
            )
        )
    data = Data(root, aligned, tuple(rows))
    data.rewrite(rows)
    summary = {
        "root": str(root),
        "pairs_in": 6,
        "aligned": 6,
        "rejected": 0,
        "seconds": 1.0,
        "reasons": {},
        "flags": {},
    }
    summary |= {"layout_reason": "drawn by the tests", "models": {"homography": 6}}
    (aligned / "align.json").write_text(json.dumps(summary))
    (aligned / "rejects.jsonl").write_text("")
    return data


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The root of a KAIST-style tree: two sequences of three pairs."""
    return draw_tree(tmp_path / "data")


@pytest.fixture
def drawn() -> None:
    """For tests that look at the page that ``align`` or ``mine`` draws when it has finished."""


@pytest.fixture(autouse=True)
def _undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others do without plots, which take longer than work on a few pairs; commands in other processes draw them."""
    if "drawn" not in request.fixturenames:
        page = SimpleNamespace(build=lambda folder, *root: f"page of {folder}")
        monkeypatch.setattr("pipeline.align.stage.page", page)
        monkeypatch.setattr("pipeline.mine.stage.page", page)


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """Six aligned pairs that a test may change."""
    return draw_aligned(tmp_path)


@pytest.fixture(scope="session")
def mined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of shards by method, two shards each, made once; not to be changed."""
    folder = tmp_path_factory.mktemp("mined")
    made = draw_aligned(folder)
    found = [
        {"pair_id": row.pair_id, "boxes": [[40, 30, 50, 40], [70, 60, 33, 45]], "classes": [0, 2]} for row in made.rows
    ]
    (folder / "boxes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    for method in ("center", "random", "detection"):
        config = {"aligned": made.aligned, "out": folder / method, "method": method, "pairs_per_shard": 4}
        boxes = {"detector": "boxes", "detections": folder / "boxes.jsonl"} if method == "detection" else {}
        mine.run(MineConfig.model_validate(config | boxes), report=False)
    return {method: folder / method for method in ("center", "random", "detection")} | {"aligned": made.aligned}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registration and judgement give the identity and a good score, so that a test is about what surrounds them."""
    found = Registration(np.eye(3), "identity", {"ncc": 0.5, "split": 0.0})
    monkeypatch.setattr("pipeline.align.calibration.register.register_sequence", lambda frames, model: found)
    monkeypatch.setattr("pipeline.align.chunk._registration", lambda task, rgb, tir: found)
    monkeypatch.setattr("pipeline.align.chunk.quality.inspect", lambda *pictures: None)
    monkeypatch.setattr("pipeline.align.chunk.quality.judge", lambda rgb, tir, how: quality.Verdict(0.9))


Run = Callable[..., Result]


@pytest.fixture
def prep() -> Run:
    """``prep("mine", "--out", folder, ...)`` runs the real command in this process, on one worker."""

    def run(*words: object) -> Result:
        local = words[0] in ("align", "mine", "verify") and not {"--workers", "--scheduler"} & set(map(str, words))
        workers = ("--workers", 1) if local else ()
        return CliRunner().invoke(main, [str(word) for word in (*words, *workers)])

    return run


def lasting(path: Path) -> bytes:
    """A file's bytes; of JSON all but by which command it was made and when."""
    if path.suffix != ".json":
        return path.read_bytes()
    content = json.loads(path.read_bytes())
    return json.dumps({name: value for name, value in content.items() if name != "made_by"}).encode()


def told(result: Result, code: int, *parts: str) -> str:
    """Check that a command ended with an exit code and one ``error: ...`` line that names ``parts``; return it."""
    lines = result.stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert len(errors) == 1
    assert lines[-1] == errors[0], "something follows the error"
    for part in parts:
        assert part in errors[0]
    return errors[0]


def done(result: Result) -> str:
    """Check that a command succeeded; return what it printed."""
    assert result.exit_code == 0, result.output
    assert "Traceback" not in result.output
    return result.stdout
