"""The page template: what is data is escaped, what is drawn is not, and equal input gives an equal page."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from matplotlib.artist import Artist

from pipeline.pages import html
from pipeline.pages.html import Change, Picture, Section, Strip
from pipeline.pages.settings_table import settings_section

from ...page_parts import check_parts


@given(st.text(min_size=1, max_size=30))
def test_any_text_is_escaped_wherever_it_stands(text: str) -> None:
    text = f'<b>{text}</b>"'
    uri = "data:image/jpeg;base64,AAAA"
    strip = Strip(text, [Picture(uri, text), Change(uri, uri, text)])
    page = html.render(text, text, [(text, text)], [Section(text, text, table=[(text,), (text,)], strips=[strip])])
    assert "<b>" not in page.replace('<div class="fact"><b>', "")
    # Title twice, subtitle, fact twice, section, note, table twice, strip, caption twice, of a change three times.
    assert page.count(str(escape(text))) == 15


def test_plots_are_inline_svg_that_does_not_change_from_run_to_run() -> None:
    def drawn() -> list[str]:
        values = np.array([0.1, 0.4, 0.45])
        return [html.histogram(values, "score", span=(0, 1)), html.bars({"<i>$x$": 3, "blank": 1}, "n")]

    first = drawn()
    assert first == drawn()
    for plot in first:
        assert plot.startswith("<svg")
        assert "<i>" not in plot
    assert "&lt;i&gt;$x$" in first[1]
    assert html.histogram(np.zeros(0), "score").startswith("<svg")
    assert first[0] in html.render("t", "s", [], [Section("plots", plots=[first[0]])])


@pytest.mark.filterwarnings("error::UserWarning")
def test_names_that_the_fonts_lack_stay_on_the_page_and_are_told_of_once_where_they_are_drawn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A private character stands for those of a script of which this machine has fonts."""
    name = "\u884c\u4eba \ue123"
    assert name in html.bars({name: 3, "blank": 1}, "n")
    assert not caplog.records
    for _ in range(2):
        drawn = html.figure()
        drawn.suptitle(name)
        assert html.png(drawn, 50).startswith(b"\x89PNG")
    (record,) = caplog.records
    assert "\ue123: PNG files show boxes in their place" in record.getMessage()


def test_other_warnings_of_a_drawing_come_through() -> None:
    class Odd(Artist):
        def draw(self, *_: object) -> None:
            warnings.warn("odd", RuntimeWarning, stacklevel=1)

    drawn = html.figure()
    drawn.add_artist(Odd())
    with pytest.warns(RuntimeWarning, match="odd"):
        html.png(drawn, 50)


def test_of_many_names_the_bars_show_the_largest() -> None:
    drawn = html.bars({f"name{n:02d}": n for n in range(40)}, "n")
    assert "name39" in drawn
    assert "name20" in drawn
    assert "name19" not in drawn


PLAIN = html.render("t", "s", [], [Section("plots", plots=[html.bars({"a": 1}, "n")])])


def test_a_page_runs_its_one_script_and_points_to_what_it_has() -> None:
    check_parts(PLAIN)


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        ("</script>", " </script>"),
        ("script-src ", "script-src 'self' "),
        ("<h1>", "<h1 onclick='go()'>"),
        ("<h1>", "<a href='#gone'></a><h1>"),
        ("<h1>", "<img src='https://a.org/x.png'><h1>"),
        ("<h1>", "<script>1</script><h1>"),
        ("url(#", "url(#x"),
    ],
)
def test_a_script_that_is_not_allowed_and_a_pointer_to_nowhere_are_found(what: str, instead: str) -> None:
    assert what in PLAIN
    with pytest.raises((AssertionError, ValueError)):
        check_parts(PLAIN.replace(what, instead, 1))


def test_settings_are_a_table_without_what_was_not_given() -> None:
    table = settings_section({"b": 1 / 6, "a": ["x", 2], "gone": None, "none": [], "off": False}).table
    assert table == [("setting", "value"), ("a", "x, 2"), ("b", "0.1667"), ("off", "False")]
