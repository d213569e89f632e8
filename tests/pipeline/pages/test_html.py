"""The page template: what is data is escaped, what is drawn is not, and equal input gives an equal page."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from pipeline.pages import html
from pipeline.pages.html import Picture, Section, Strip


@given(st.text(min_size=1, max_size=30))
def test_any_text_is_escaped_wherever_it_stands(text: str) -> None:
    text = f'<b>{text}</b>"'
    strip = Strip(text, [Picture("data:image/jpeg;base64,AAAA", text)])
    page = html.render(text, text, [(text, text)], [Section(text, text, table=[(text,), (text,)], strips=[strip])])
    assert "<b>" not in page.replace('<div class="fact"><b>', "")
    # Title twice, subtitle, fact twice, section, note, table twice, strip, caption twice.
    assert page.count(str(escape(text))) == 12


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


def test_of_many_names_the_bars_show_the_largest() -> None:
    drawn = html.bars({f"name{n:02d}": n for n in range(40)}, "n")
    assert "name39" in drawn
    assert "name20" in drawn
    assert "name19" not in drawn
