"""A folder of shards that was damaged: what `verify` prints as its cure is a command, and it works."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from pipeline import mine
from pipeline.files.hashing import file_sha256
from pipeline.mine import MineConfig
from pipeline.mine.command_line import command_line

from ...conftest import REPOSITORY, Data, Run, done, told

SETTINGS = ("--fraction", "1/5", "--fraction-of", "area", "--patches-per-pair", 2, "--seed", -3, "--pairs-per-shard", 2)


@pytest.fixture
def shards(data: Data, prep: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three shards, mined from relative paths into a folder whose name has to be quoted."""
    monkeypatch.chdir(data.root.parent)
    out = Path("what's mined here")
    done(prep("mine", "--aligned", "aligned", "--method", "random", "--out", out, *SETTINGS))
    return out.absolute()


def cure(prep: Run, shards: Path) -> list[str]:
    """The words of the command that `verify` prints."""
    said = told(prep("verify", shards), 3, "restore them, or mine again: cmd-prep mine ")
    return shlex.split(said.partition("mine again: cmd-prep ")[2])


def flip(path: Path) -> None:
    """Damage a file that keeps its size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
def test_a_shard_that_is_lost_or_altered_is_made_again_and_the_others_are_kept(
    shards: Path, prep: Run, harm: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in shards.glob("*.h5")}
    stamps = [(shards / f"shard-0000{number}.h5").stat().st_mtime_ns for number in (0, 2)]
    harm(shards / "shard-00001.h5")
    words = cure(prep, shards)
    assert "--on-existing" not in words
    monkeypatch.chdir("/")
    done(prep(*words))
    done(prep("verify", shards, "--deep"))
    assert {path.name: path.read_bytes() for path in shards.glob("*.h5")} == before
    assert [(shards / f"shard-0000{number}.h5").stat().st_mtime_ns for number in (0, 2)] == stamps


def test_a_shard_that_was_written_wrong_is_made_anew(shards: Path, prep: Run) -> None:
    """Its hash agrees everywhere, so that going on would keep it."""
    path = shards / "shard-00001.h5"
    with h5py.File(path, "r+") as file:
        file["patches/score"][0] = 7
    for name in ("index.json", "shard-00001.stats.json"):
        content = json.loads((shards / name).read_text())
        (content["shards"][1] if "shards" in content else content)["sha256"] = file_sha256(path)
        (shards / name).write_text(json.dumps(content))
    words = cure(prep, shards)
    done(prep(*words))
    assert words[-2:] == ["--on-existing", "overwrite"]
    done(prep("verify", shards, "--deep"))


def test_a_shard_of_another_run_goes(shards: Path, prep: Run) -> None:
    shutil.copy(shards / "shard-00001.h5", shards / "shard-00007.h5")
    done(prep(*cure(prep, shards)))
    done(prep("verify", shards))


def test_a_stats_file_that_was_cut_short_costs_its_shard_alone(shards: Path, prep: Run) -> None:
    words = [*json.loads((shards / "index.json").read_text())["command"], "--out", shards]
    cut(shards / "shard-00002.stats.json")
    stamp = (shards / "shard-00000.h5").stat().st_mtime_ns
    done(prep(*words[1:]))
    done(prep("verify", shards))
    assert (shards / "shard-00000.h5").stat().st_mtime_ns == stamp


def test_quick_keeps_by_size_alone(shards: Path, prep: Run, caplog: pytest.LogCaptureFixture) -> None:
    words = [*json.loads((shards / "index.json").read_text())["command"], "--out", shards]
    flip(shards / "shard-00001.h5")
    done(prep(*words[1:], "--quick"))
    assert "3 of 3 shards are finished and kept" in caplog.text
    told(prep("verify", shards), 3, "1 faults")
    caplog.clear()
    done(prep(*words[1:]))
    assert "shard-00001.h5 is not what was written: it is made again" in caplog.text
    assert "2 of 3 shards are finished and kept" in caplog.text


def test_the_cure_is_for_the_folder_where_it_lies_now(shards: Path, prep: Run) -> None:
    moved = shards.with_name("moved")
    shards.rename(moved)
    cut(moved / "shard-00000.h5")
    words = cure(prep, moved)
    assert words[words.index("--out") + 1] == str(moved)
    done(prep(*words))
    done(prep("verify", moved))


def test_a_folder_that_does_not_know_its_command_says_what_to_add(prep: Run, tmp_path: Path) -> None:
    old = Path(shutil.copytree(REPOSITORY / "tests/pipeline/old_folders/0.1/center", tmp_path / "old"))
    flip(old / "shard-00000.h5")
    said = told(prep("verify", old), 3)
    assert said.endswith("1 faults in 1 shards: restore them, or mine again with --on-existing overwrite")


@pytest.mark.parametrize("typed", [(), ("--center-fraction", "1/8")])
def test_the_cure_of_center_shards_says_their_fraction_though_the_default_has_changed(
    data: Data, prep: Run, typed: tuple[str, ...]
) -> None:
    """Before, a third was the default, and a command that did not say it was recorded."""
    out = data.root / "shards"
    words = ("mine", "--aligned", data.aligned, "--method", "center", "--patch-size", 0, "--out", out)
    done(prep(*words, *(typed or ("--center-fraction", "1/3"))))
    index = json.loads((out / "index.json").read_text())
    if not typed:
        at = index["command"].index("--center-fraction")
        assert index["command"][at : at + 2] == ["--center-fraction", "0.3333333333333333"]
        del index["command"][at : at + 2]
        (out / "index.json").write_text(json.dumps(index))
    before = {path.name: path.read_bytes() for path in out.glob("*.h5")}
    flip(out / "shard-00000.h5")
    done(prep(*cure(prep, out)))
    assert {path.name: path.read_bytes() for path in out.glob("*.h5")} == before


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "center", "center_fraction": 1 / 7, "warped_format": "png", "patch_size": 0},
        {"method": "random", "fraction": 0.123456789, "max_overlap": 0, "seed": -5, "root": Path("some where")},
        {
            "method": "detection", "detector": "faster-rcnn", "weights": Path("w; rm.pth"), "backend": "torchvision",
            "detector_config": "fasterrcnn_resnet50_fpn", "confidence": 0.5, "classes": (0, 17), "min_size": 9.5,
            "max_size": 300, "fallback": "skip", "device": "cuda:1",
        },
        {"method": "detection", "detector": "boxes", "detections": Path("b"), "tubes": True, "max_gap": 3},
        {"method": "center", "options": {"name": "two words", "count": 3}},
    ],
    ids=["center", "random", "detection", "tubes", "options"],
)  # fmt: skip
def test_the_command_says_all_that_the_config_does(
    settings: dict[str, object], prep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = MineConfig.model_validate({"aligned": "some pairs", "out": "out"} | settings)
    taken: list[MineConfig] = []
    monkeypatch.setattr(mine, "run", taken.append)
    prep(*command_line(given)[1:], "--out", "out")
    expected = given.model_dump() | {"options": {name: str(value) for name, value in given.options.items()}}
    assert taken[0].model_dump() == {
        name: value.absolute() if isinstance(value, Path) and name != "out" else value
        for name, value in expected.items()
    }
