"""What is offered in place of a folder that does not fit."""

from __future__ import annotations

from pathlib import Path

from pipeline.files.nearby import SHOWN, nearby


def marked(path: Path) -> bool:
    return (path / "index.json").is_file()


def test_folders_inside_above_and_of_nearly_that_name_are_offered(tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    for name in ("center", "random", "empty"):
        (shards / name).mkdir(parents=True)
        if name != "empty":
            (shards / name / "index.json").touch()
    (shards / "center/deep").mkdir()
    assert nearby(shards, marked) == f"did you mean {shards}/center, {shards}/random? "
    assert nearby(shards / "center/deep", marked) == f"did you mean {shards}/center? "
    assert nearby(shards / "centre", marked) == f"did you mean {shards}/center? "
    for nothing in (shards / "empty", shards / "emty", tmp_path / "no/such", shards / "center"):
        assert nearby(nothing, marked) == ""


def test_of_many_the_first_are_offered(tmp_path: Path) -> None:
    names = [f"run{n}" for n in range(SHOWN + 1)]
    for name in names:
        (tmp_path / name).mkdir()
    first = ", ".join(f"{tmp_path}/{name}" for name in names[:SHOWN])
    assert nearby(tmp_path, lambda path: path.name in names) == f"did you mean {first}, ...? "
