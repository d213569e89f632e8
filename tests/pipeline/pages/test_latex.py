"""Tables for LaTeX: what comes from data is set as it is, and no row is broken by it."""

from __future__ import annotations

from pipeline.pages.latex import bold, plain, table


def test_what_latex_would_read_as_its_own_is_escaped() -> None:
    assert plain("50 % of a_b & −.01 ±.02") == r"50 \% of a\_b \& $-$.01 $\pm$.02"
    assert (
        plain("\\{a}^~<|>")
        == r"\textbackslash{}\{a\}\textasciicircum{}\textasciitilde{}\textless{}\textbar{}\textgreater{}"
    )
    assert plain("[2pt]* 5–6") == "{[}2pt]{*} 5--6", "behind a row's end both are an argument of it"


def test_a_table_has_a_rule_above_each_group_and_a_cell_a_column() -> None:
    made = table("A caption", "lr", ("name", "S"), [[("a", "1"), ("b", bold("2"))], [], [("c", "3")]], label="tab:x")
    assert made.splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{A caption}",
        r"\label{tab:x}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"name & S \\",
        r"\midrule",
        r"a & 1 \\",
        r"b & \textbf{2} \\",
        r"\midrule",
        r"c & 3 \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    wide = table("", "l", ("x",), [], wide=True).splitlines()
    assert (wide[0], wide[3], wide[-1]) == (
        r"\begin{table*}",
        r"\footnotesize\setlength{\tabcolsep}{4pt}",
        r"\end{table*}",
    )
