"""Words that are written as YAML are read again as they were."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.files.yaml_text import parse_yaml, write_yaml

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.from_regex("[a-z][a-z-]{0,9}", fullmatch=True), WORDS | st.lists(WORDS, min_size=1)))
def test_any_word_is_read_as_it_was_written(content: dict[str, str | list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.yaml"
        write_yaml(path, content, "# words")
        if content:
            assert parse_yaml(path, "it") == content


def test_numbers_and_truth_values_need_no_quotes(tmp_path: Path) -> None:
    write_yaml(tmp_path / "words.yaml", {"share": "0.30", "set": ["a=1", "no"], "tubes": "true"}, "# words")
    assert (tmp_path / "words.yaml").read_text() == "# words\nshare: 0.30\nset:\n- a=1\n- no\ntubes: true\n"
