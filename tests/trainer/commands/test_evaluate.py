"""cmd-eval as typed: what it writes, what it warns of, and one line an error."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from trainer.commands.evaluate import main

from ...conftest import REPOSITORY, done, lasting, told
from ...page_parts import check_parts
from ..conftest import Eval, World, evaluate, world, write_boxes

__all__ = ["evaluate", "world"]


def metrics(world: World) -> dict[str, object]:
    return dict(json.loads((world.root / "out/metrics.json").read_text()))


def test_the_object_names_every_file(world: World, evaluate: Eval) -> None:
    made = json.loads(evaluate("near", "--json").stdout)
    named = {
        Path(path).name for path in [*(made[key] for key in ("report", "metrics", "tables", "tex")), *made["plots"]]
    }
    assert {name for name in metrics(world)["files"] if not name.endswith(".png")} == named
    assert {Path(path).name for path in made["files"]} == {*metrics(world)["files"], "config.yaml"}


@pytest.mark.usefixtures("drawn")
def test_one_command_writes_scores_tables_report_and_plots(world: World, evaluate: Eval) -> None:
    printed = done(evaluate("near", "lost", "perfect", "--attributes", world.folder("attributes")))
    assert [line.split()[0] for line in printed.splitlines()] == ["tracker", "perfect", "near", "lost", "report"]
    found = metrics(world)
    assert found["protocol"] == "lsotb_tir"
    trackers = found["trackers"]
    assert isinstance(trackers, dict)
    assert trackers["perfect"]["overall"] == {
        "success": pytest.approx(20 / 21),
        "precision": 1,
        "normalized_precision": 1,
    }
    assert set(trackers["near"]["sequences"]) == set(world.truth)
    assert trackers["lost"]["sequences"]["car_V_001"]["precision"] == pytest.approx(0.5)
    assert set(trackers["near"]["attributes"]) == {"occlusion", "fast motion"}
    assert trackers["near"]["attributes"]["fast motion"]["success"] is None
    pairs = found["differences"]
    assert isinstance(pairs, list)
    assert len(pairs) == 3 * 3
    first = pairs[0]
    assert (first["first"], first["second"], first["metric"]) == ("near", "lost", "success")
    assert first["low"] <= first["value"] <= first["high"]
    names = {path.name for path in (world.root / "out").iterdir()}
    plots = {
        f"{name}.{suffix}"
        for name in ("success", "precision", "normalized_precision", "attributes")
        for suffix in ("svg", "png")
    }
    assert names == {".lock", "config.yaml", "metrics.json", "tables.md", "tables.tex", "report.html"} | plots
    assert set(found["files"]) == names - {".lock", "config.yaml"}
    page = (world.root / "out/report.html").read_text()
    assert page.count("<svg") == 4
    assert page.count('<table class="sortable">') == 3
    check_parts(page)
    for part in (
        "Is the difference real?",
        "near − lost",
        "With 3 sequences it comes out too narrow, and decides nothing",
        "cmd-train study",
        "Where near and lost differ most",
    ):
        assert part in page


def test_a_lone_tracker_is_compared_with_nobody(world: World, evaluate: Eval) -> None:
    done(evaluate("lost"))
    page = (world.root / "out/report.html").read_text()
    assert "Where lost errs most" in page
    assert "overlap of lost" in page
    assert "differ" not in page
    assert "<td><b>" not in page, "no best of one"
    done(evaluate("lost", "near"))
    assert "<td><b>" in (world.root / "out/report.html").read_text()


@pytest.mark.usefixtures("drawn")
def test_equal_runs_write_equal_files(world: World, evaluate: Eval) -> None:
    def written() -> dict[str, bytes]:
        done(evaluate("near", "lost"))
        return {path.name: lasting(path) for path in (world.root / "out").iterdir()}

    assert written() == written()


def test_careless_rows_are_mended_counted_and_told(
    world: World, evaluate: Eval, caplog: pytest.LogCaptureFixture
) -> None:
    boxes = world.truth["car_V_001"].copy()
    boxes[5] = np.nan
    boxes[6, 2] = -1
    boxes[9, 0] = np.nan
    write_boxes(world.folder("near") / "car_V_001.txt", np.r_[boxes, boxes[:4]])
    write_boxes(world.folder("near") / "stranger.txt", boxes)
    done(evaluate("near"))
    assert "near: 2 rows with NaN or a size not above 0 replaced" in caplog.text
    assert "near: 1 rows partly NaN or infinite kept" in caplog.text
    assert "near: 4 rows beyond the ground truth ignored, in 1 sequences (car_V_001 4)" in caplog.text
    assert "near: 1 results of unknown sequences ignored (stranger)" in caplog.text
    assert "4 rows beyond the ground truth" in (world.root / "out/report.html").read_text()
    warnings = metrics(world)["warnings"]
    assert isinstance(warnings, list)
    assert len(warnings) == 4


@pytest.mark.parametrize(("folder", "whose"), [("truth", "ground truth"), ("perfect", "perfect")])
def test_blank_rows_do_not_shift_what_follows(
    world: World, evaluate: Eval, caplog: pytest.LogCaptureFixture, folder: str, whose: str
) -> None:
    def scores(blank: str) -> object:
        path = world.folder(folder) / "dog_D_001.txt"
        rows = [",".join(f"{value:.4f}" for value in box) for box in world.truth["dog_D_001"]]
        path.write_text("\n".join([*rows[:10], *[blank] * 5, *rows[15:], "", ""]))
        caplog.clear()
        done(evaluate("perfect", "near"))
        return metrics(world)["trackers"]

    expected = scores("NaN,NaN,NaN,NaN")
    assert "blank" not in caplog.text
    assert scores("") == expected
    assert f"{whose}: 5 blank rows taken as frames without a target, in 1 sequences (dog_D_001 5)" in caplog.text
    assert "beyond the ground truth" not in caplog.text


def test_too_few_rows_and_missing_files_end_with_3_and_are_named(world: World, evaluate: Eval) -> None:
    path = world.folder("near") / "dog_D_001.txt"
    write_boxes(path, world.truth["dog_D_001"][:-1])
    told(evaluate("lost", "near"), 3, f"{path}: 39 rows for 40 frames")
    path.unlink()
    told(evaluate("lost", "near"), 3, f"{path}: no such file: near lacks 1 of 3 sequences (dog_D_001)")
    above = world.folder("near").parent / "all"
    shutil.copytree(world.folder("near"), above / "near")
    told(evaluate("all"), 3, "all lacks 3 of 3 sequences (", f"did you mean {above}/near? choose others with")
    told(evaluate("nowhere"), 3, "nowhere: no such folder")
    told(evaluate("lost", "--frames", "nowhere"), 3, "nowhere: no such folder: correct --frames")
    assert not (world.root / "out").exists()


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", b"1,2,3\n" * 40, b"1,2,3,4,5\n" * 40, b"{}", b"", b"1" * 20_000_000], ids=range(6)
)
def test_hostile_results_are_one_line(world: World, evaluate: Eval, data: bytes) -> None:
    path = world.folder("near") / "dog_D_001.txt"
    path.write_bytes(data)
    told(evaluate("near"), 3, str(path))


@pytest.mark.usefixtures("drawn")
def test_names_are_escaped_in_the_page(world: World) -> None:
    name = "<img src onerror>&|"
    words = ["--dataset", world.dataset, "--annotations", str(world.folder("truth")), "--out", str(world.root / "out")]
    done(CliRunner().invoke(main, [*words, "--results", f"{name}={world.folder('near')}"]))
    for file in ("report.html", "tables.md", "success.svg"):
        assert "<img" not in (world.root / "out" / file).read_text()


def test_strips_are_drawn_where_there_are_pictures(
    world: World, evaluate: Eval, caplog: pytest.LogCaptureFixture
) -> None:
    from pipeline import images

    for name in ("car_V_001", "dog_D_001"):
        for frame in range(len(world.truth[name]) if name == "car_V_001" else 3):
            path = world.root / "pictures" / name / "img" / f"{frame + 1:04d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(images.encode(np.full((60, 80), frame, np.uint8), ".jpg"))
    done(evaluate("near", "lost", "--frames", world.root / "pictures"))
    assert sorted(path.name for path in (world.root / "out").glob("frames_*")) == [
        "frames_car_V_001.png",
        "frames_car_V_001.svg",
    ]
    assert "3 pictures of dog_D_001, 40 expected: no strip" in caplog.text


def test_bad_usage_ends_with_2(world: World, evaluate: Eval) -> None:
    told(evaluate(), 2, "nothing to evaluate")
    told(evaluate("near", "near"), 2, "two trackers are called near")
    told(evaluate("near", "--sequences", "nope"), 2, "tiny has no nope")
    told(evaluate("near", "--results", "nonsense"), 2, "is not NAME=PATH")
    told(evaluate("near", "--results", f"{'x' * 80}=y"), 2, "longer than 60")
    told(evaluate("near", "--results", "a\nb=y"), 2, "not printable")
    told(evaluate("near", "--seed", -1), 2, "--seed")
    told(evaluate("near", "--dataset", "lsotb"), 2, "did you mean lsotb_tir?")
    told(
        CliRunner().invoke(main, ["--dataset", "lsotb_tir", "--out", "o", "--results", "a=b"]), 2, "needs --annotations"
    )
    told(CliRunner().invoke(main, ["--dataset", "lsotb_tir"]), 2, "Missing option '--out'")
    assert CliRunner().invoke(main, []).exit_code == 2
    assert "--curves" in done(CliRunner().invoke(main, ["--help"]))


@pytest.mark.slow
def test_as_a_program_it_loads_no_torch(world: World) -> None:
    words = ["--dataset", world.dataset, "--annotations", str(world.folder("truth")), "--sequences", "car_V_001"]
    words += ["--results", f"near={world.folder('near')}", "--out", str(world.root / "out"), "--debug"]
    code = "import sys\nfrom trainer.commands.evaluate import main\n"
    code += "try: main()\nfinally: assert 'torch' not in sys.modules"
    run = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == 0, run.stderr
    assert Path(world.root / "out/report.html").is_file()
