"""What errors say to type next: every such command exists, and it does what the error says."""

from __future__ import annotations

import ast
import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.errors import DataError, UsageError
from pipeline.next_command import ANEW, CONFIG, made_again, to_type
from pipeline.runtime.asked import again, anew, asking, keep_settings
from pipeline.runtime.asked.kept import Asked
from pipeline.shards.index import load_index
from trainer.checkpoints.model_file import weights_file
from trainer.data.shards import asked_for, open_source
from trainer.sequences.layout import load_layout

from .conftest import REPOSITORY, Run, done, told
from .offered import SCRIPTS, offered, parsed


def run(words: list[str]) -> Result:
    return CliRunner().invoke(SCRIPTS[words[0]], words[1:])


def kept(folder: Path, command: str, text: str = "") -> Path:
    """A folder that a command has begun."""
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text(f"# Settings of cmd-tir's {command}: --config {CONFIG} gives them again.\n{text}")
    return folder


def calls() -> Iterator[tuple[str, ast.Call]]:
    for package in ("pipeline", "trainer"):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "to_type":
                    yield str(path), node


def test_every_command_in_the_code_exists_with_its_options() -> None:
    """Also those of errors that no test meets."""
    seen = 0
    for where, call in calls():
        words = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if not words or words[0] not in SCRIPTS:
            continue
        command, seen = SCRIPTS[words[0]], seen + 1
        if isinstance(command, click.Group):
            assert words[1] in command.commands, where
            command = command.commands[words[1]]
        options = {option for param in command.params for option in param.opts}
        assert {word for word in words if word.startswith("--")} <= options, where
    assert seen >= 5


def test_paths_are_quoted_near_and_never_taken_for_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert to_type("cmd-prep", "verify", tmp_path / "it's here") == """cmd-prep verify 'it'"'"'s here'"""
    assert to_type("cmd-prep", "verify", Path("-x")) == "cmd-prep verify ./-x"
    assert to_type("cmd-prep", "verify", Path("/else/where")) == "cmd-prep verify /else/where"


def test_a_folder_is_made_again_by_what_stands_in_it_and_by_nothing_else(tmp_path: Path) -> None:
    folder = kept(tmp_path / "a b", "cmd-prep mine")
    line = made_again(folder, *ANEW)
    assert line == f"cmd-prep mine --config '{folder}/{CONFIG}' --out '{folder}' --on-existing overwrite"
    # Rows of --recipe all, and previews: the command was told to make the folder above.
    row = kept(tmp_path / "runs/b1", "cmd-train train, of the folder above")
    assert shlex.split(made_again(row) or "")[-2:] == ["--out", str(tmp_path / "runs")]
    for other in ("rm -rf ~", "cmd-prep mine; rm", "cmd-prep mine $(rm)", "cmd-prep mine extra"):
        assert made_again(kept(tmp_path / f"{len(list(tmp_path.iterdir()))}", other)) is None
    assert made_again(tmp_path / "gone") is None


def test_of_several_folders_that_a_command_makes_each_says_that_it_made_the_one_above(tmp_path: Path) -> None:
    row = tmp_path / "runs/b1"
    row.mkdir(parents=True)
    with asking(Asked("cmd-train train", ("cmd-train",), tmp_path / "runs", {"recipe": "all"})):
        keep_settings(row)
    assert made_again(row) == f"cmd-train train --config {row}/{CONFIG} --out {tmp_path}/runs"


def test_without_a_command_at_work_options_are_named() -> None:
    assert again() is again(*ANEW) is None
    assert anew() == "choose another --out or --on-existing overwrite"


def test_the_command_at_work_is_told_with_other_options_in_place_of_its_own() -> None:
    words = ("cmd-train", "train", "--on-existing", "fail", "--out", "a b", "--resume")
    with asking(Asked("cmd-train train", words, None, {})):
        assert again() == "cmd-train train --on-existing fail --out 'a b'"
        assert again(*ANEW) == "cmd-train train --out 'a b' --on-existing overwrite"


def test_work_of_other_settings_is_made_anew_by_the_line_that_is_told(
    prep: Run, mined: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "it's here"
    words = ("mine", "--aligned", mined["aligned"], "--out", out, "--quiet")
    done(prep(*words, "--method", "center"))
    again = offered(told(prep(*words, "--method", "random", "--on-existing", "fail"), 2, "already holds"))
    assert again.count("--on-existing") == 1
    again = offered(told(prep(*words, "--method", "random"), 2, "recipe.method: center -> random"))
    done(run(again))
    assert load_index(out).method == "random"


def test_under_torchrun_no_line_is_told(
    prep: Run, mined: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    words = ("mine", "--aligned", mined["aligned"], "--out", tmp_path / "o", "--method")
    done(prep(*words, "center"))
    assert told(prep(*words, "random"), 2).endswith("choose another --out or --on-existing overwrite")


@pytest.mark.slow
@pytest.mark.usefixtures("registered")
def test_aligned_pairs_that_are_missing_are_aligned_first(prep: Run, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "al igned"
    words = ("mine", "--aligned", out, "--method", "center", "--out", tmp_path / "s")
    assert offered(told(prep(*words), 3, "aligned.jsonl: no such file"))[:3] == ["cmd-prep", "align", "--root"]
    done(prep("align", "--root", tree, "--out", out))
    (out / "aligned.jsonl").unlink()
    (out / "align.json").unlink()
    cure = offered(told(prep("inspect", out), 3, "neither align.json nor index.json"))
    assert cure == offered(told(prep(*words), 3, "aligned.jsonl: no such file"))
    done(run(cure))
    done(prep(*words))


def test_shards_that_are_not_finished_or_of_another_schema_are_made(
    prep: Run, mined: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "s"
    done(prep("mine", "--aligned", mined["aligned"], "--method", "center", "--out", out))
    (out / "index.json").unlink()
    done(run(offered(told(prep("verify", out), 3, "has no index.json"))))
    content = json.loads((out / "index.json").read_text()) | {"schema_version": "2.0"}
    (out / "index.json").write_text(json.dumps(content))
    done(run(offered(told(prep("verify", out), 3, "schema version 2.0"))))
    done(prep("verify", out))


def test_a_damaged_shard_is_looked_at_and_mended(mined: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "s"
    shutil.copytree(mined["center"], out)
    (out / "shard-00000.h5").write_bytes(b"no shard")
    with pytest.raises(DataError) as error:
        open_source((out,))
    found = run(offered(str(error.value)))
    done(run(offered(told(found, 3, "shard"))))
    assert len(open_source((out,)).names) == 6


@pytest.mark.parametrize("wanted", ["random", "detection", "center-tubes", "detection-tubes", "tubes"])
def test_shards_of_another_kind_are_mined_of_the_same_pairs(
    mined: dict[str, Path], wanted: str, tmp_path: Path
) -> None:
    shutil.copytree(mined["center"], tmp_path / "center")
    with pytest.raises(UsageError) as error:
        asked_for([tmp_path / "center"], wanted)
    context = parsed(words := offered(str(error.value)))
    assert context.params["aligned"] == mined["aligned"].absolute()
    assert context.params["tubes"] == wanted.endswith("tubes")
    assert context.params["method"] == ("center" if wanted == "tubes" else wanted.removesuffix("-tubes"))
    if wanted == "random":
        done(run([*words, "--workers", "1"]))
        assert asked_for([tmp_path / "random"], wanted)


def test_settings_are_kept_where_tubes_of_the_same_method_are_wanted(mined: dict[str, Path]) -> None:
    with pytest.raises(UsageError) as error:
        asked_for([mined["random"], mined["detection"]], "detection-tubes")
    given = parsed(offered(str(error.value))).params
    assert (given["detector"], given["tubes"], given["out"].name) == ("boxes", True, "detection-tubes")


def test_a_run_that_is_not_finished_is_gone_on_with(tmp_path: Path) -> None:
    folder = kept(tmp_path / "b1", "cmd-train train", "recipe: b1\n")
    with pytest.raises(UsageError) as error:
        weights_file(folder)
    assert offered(str(error.value)) == ["cmd-train", "train", "--config", str(folder / CONFIG), "--out", str(folder)]


def test_data_sets_of_the_other_kind_are_told_with_what_takes_them(prep: Run, tree: Path, tmp_path: Path) -> None:
    said = told(prep("align", "--root", tree, "--manifest", "lsotb_tir", "--out", tmp_path / "a"), 2, "lsotb_tir")
    assert parsed(offered(said)).params["root"] == tree
    with pytest.raises(UsageError) as error:
        load_layout("kaist")
    assert "lsotb_tir" in done(run(offered(str(error.value))))


def test_a_folder_that_is_not_empty_is_written_anew(prep: Run, tmp_path: Path) -> None:
    words = ("synth", "--out", tmp_path / "d", "--sequences", 1, "--frames", 1, "--tracking", 0, "--size", "96,96")
    done(prep(*words))
    done(run(offered(told(prep(*words), 2, "is not empty"))))
