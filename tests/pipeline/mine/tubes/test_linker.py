"""The version of the library that links is a setting like others: no folder mixes what two of them linked."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from pipeline.mine.tubes import link
from pipeline.shards.reader import ShardReader

from ....conftest import Run, done, told
from .clips import Clip, Thing, draw_clips


def test_what_one_version_of_the_library_linked_another_does_not_go_on_with(
    prep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = draw_clips(tmp_path, {"a": Clip(12, [Thing((8, 30, 20, 30), (2, 0.5), range(12))])})
    out, plan = tmp_path / "s", tmp_path / "s" / "plan.json"
    command = ("mine", *clips.words, "--out", out)
    done(prep(*command))
    linked = f"trackers {version('trackers')}"
    begun = json.loads(plan.read_text())
    assert begun["recipe"]["linker"] == linked
    assert json.loads((out / "index.json").read_text())["settings"]["linker"] == linked
    assert json.loads(ShardReader(out / "shard-00000.h5").file.attrs["config"])["linker"] == linked
    (out / "index.json").unlink()
    (out / "shard-00000.stats.json").unlink()
    with monkeypatch.context() as upgraded:
        upgraded.setattr(link, "version", lambda _name: "99.1")
        told(prep(*command), 2, f"other settings or input (recipe.linker: {linked} -> trackers 99.1)")
    done(prep(*command))
    del begun["recipe"]["linker"]
    plan.write_text(json.dumps(begun))
    told(prep(*command), 2, f"other settings or input (recipe.linker: not recorded -> {linked})")
