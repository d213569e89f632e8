"""``--config FILE``: what a file may say, what is typed beside it, and what is kept beside results."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.config import refuse_idle
from pipeline.files.yaml_text import parse_yaml
from pipeline.next_command import CONFIG
from pipeline.runtime.asked import drop_settings, keep_settings
from pipeline.runtime.asked.subcommand import AddedOption
from pipeline.runtime.command import Command
from pipeline.runtime.option_types import NamesType
from pipeline.runtime.options import FOLDER, typed

from ....conftest import Run, done, told


@click.group(cls=Command)
def tool() -> None:
    """A tool."""


@tool.command()
@click.option("--out", type=FOLDER, default=Path("out"))
@click.option("--share", type=click.FloatRange(0, 1), default=0.5)
@click.option("--names", type=NamesType(), default="")
@click.option("--from", "sources", multiple=True, type=FOLDER)
@click.option("--set", "given", multiple=True, cls=AddedOption)
@click.option("--tubes", is_flag=True)
@click.option("--workers", type=int, default=1)
def make(out: Path, **options: object) -> None:
    refuse_idle(typed(), {"tubes": "video"})
    out.mkdir(exist_ok=True)
    keep_settings(out)
    click.echo(" ".join(f"{name}={value}" for name, value in sorted(options.items())))


@tool.command()
@click.option("--out", type=Path, required=True)
def also(out: Path) -> None:
    keep_settings(out)


def run(folder: Path, text: str, *words: str) -> Result:
    file = folder / "mine.yaml"
    file.write_text(text)
    return CliRunner().invoke(tool, ["make", "--config", str(file), "--out", str(folder / "out"), *words])


def test_a_file_gives_options_and_what_is_typed_wins(tmp_path: Path) -> None:
    text = "share: 0.25\nnames: [a, b]\nfrom: [x, y]\nset: [k=1, l=2]\nworkers: 3\ntubes: no\n"
    expected = "given=('k=1', 'l=2') names=('a', 'b') share=0.25 sources=({x}, {y}) tubes=False workers=3"
    told_x, told_y = (repr(Path(name)) for name in "xy")
    assert done(run(tmp_path, text)).strip() == expected.format(x=told_x, y=told_y)
    shown = done(run(tmp_path, text, "--share", "0.75", "--from", "z", "--names", "c"))
    for part in ("share=0.75", f"sources=({Path('z')!r},)", "names=('c',)", "workers=3"):
        assert part in shown


def test_settings_that_are_typed_are_added_to_those_of_the_file_and_the_last_of_a_name_counts(tmp_path: Path) -> None:
    assert "given=('k=3', 'l=2', 'm=4')" in done(run(tmp_path, "set: [k=1, l=2]\n", "--set", "k=3", "--set", "m=4"))


def test_a_word_may_stand_where_a_list_may(tmp_path: Path) -> None:
    assert "given=('k=1',)" in done(run(tmp_path, "set: k=1\n"))


def test_what_is_kept_is_what_was_given_but_for_out_and_workers(tmp_path: Path) -> None:
    done(run(tmp_path, "share: 0.25\nfrom: x\n", "--set", "k=1", "--workers", "4"))
    kept = parse_yaml(tmp_path / "out" / CONFIG, "it")
    assert kept == {"share": "0.25", "from": [str(Path("x").absolute())], "set": ["k=1"]}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("shar: 1\n", ["make has no option --shar: did you mean share?"]),
        ("given: k=1\n", ["has no option --given"]),
        ("config: x\n", ["has no option --config"]),
        ("share: [0.1, 0.2]\n", ["share: takes one word, not a list"]),
        ("share:\n", ["share: expected a word"]),
        ("share: {a: 1}\n", ["share: expected a word"]),
        ("set: [[k=1]]\n", ["set: expected a word"]),
        ("share: 2\n", ["Invalid value for '--share': 2"]),
        ("share: 0.1\nshare: 0.2\n", ["line 2: key 'share' stands twice"]),
        ("tubes: true\n", ["--tubes has no effect here", "gives options too"]),
    ],
)
def test_what_a_file_may_not_say_is_told_with_its_name(text: str, parts: list[str], tmp_path: Path) -> None:
    told(run(tmp_path, text), 2, str(tmp_path / "mine.yaml"), *parts)
    assert not (tmp_path / "out").exists()


def test_a_fault_of_what_is_typed_does_not_name_the_file(tmp_path: Path) -> None:
    assert "mine.yaml" not in told(run(tmp_path, "share: 0.1\n", "--share", "2"), 2, "--share")


def test_a_file_of_that_name_that_no_command_wrote_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("mine: 1\n")
    drop_settings(tmp_path)
    told(CliRunner().invoke(tool, ["make", "--out", str(tmp_path)]), 2, str(tmp_path / CONFIG), "left alone")
    assert (tmp_path / CONFIG).read_text() == "mine: 1\n"


def test_what_another_command_kept_stays(tmp_path: Path) -> None:
    done(run(tmp_path, "share: 0.25\n"))
    before = (tmp_path / "out" / CONFIG).read_text()
    done(CliRunner().invoke(tool, ["also", "--out", str(tmp_path / "out")]))
    assert (tmp_path / "out" / CONFIG).read_text() == before
    done(CliRunner().invoke(tool, ["also", "--out", str(tmp_path / "one.txt")]))
    kept = (tmp_path / f"one.txt.{CONFIG}").read_text()
    assert kept == "# Settings of cmd-tir's tool also: --config one.txt.config.yaml gives them again, --out is typed.\n"


def test_without_a_command_nothing_is_kept(tmp_path: Path) -> None:
    keep_settings(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_mined_shards_are_mined_again_from_the_file_beside_them(
    prep: Run, mined: dict[str, Path], tmp_path: Path
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    done(prep("mine", "--aligned", mined["aligned"], "--method", "random", "--fraction", "1/7", "--out", one))
    done(prep("mine", "--config", one / CONFIG, "--out", other))
    names = sorted(path.name for path in one.iterdir())
    assert CONFIG in names
    assert names == sorted(path.name for path in other.iterdir())
    for name in ("shard-00000.h5", "rejects.jsonl", CONFIG):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    # The folder goes on from its own file too, and one that is made anew keeps what it is made anew with.
    done(prep("mine", "--config", one / CONFIG, "--out", one))
    done(prep("mine", "--aligned", mined["aligned"], "--method", "center", "--out", one, "--on-existing", "overwrite"))
    assert parse_yaml(one / CONFIG, "it") == {"aligned": str(mined["aligned"].absolute()), "method": "center"}
