"""Tables and text for LaTeX, in which what comes from data stays what it is."""

from __future__ import annotations

from collections.abc import Sequence

PACKAGES = r"% \usepackage{booktabs}"
"""What a document needs for these tables, as a comment."""

_OWN = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
    # Behind the end of a row they would be taken as an argument of it.
    | {"[": "{[}", "*": "{*}"}
    | {"−": "$-$", "–": "--", "±": r"$\pm$"}
)


def plain(text: str) -> str:
    """Text that LaTeX sets as it is, also inside a table."""
    return text.translate(_OWN)


def bold(cell: str) -> str:
    """A cell in bold."""
    return rf"\textbf{{{cell}}}"


def table(
    caption: str,
    columns: str,
    head: Sequence[str],
    groups: Sequence[Sequence[Sequence[str]]],
    *,
    label: str = "",
    wide: bool = False,
) -> str:
    """A floating table with the rules of the booktabs package.

    Args:
        caption: above it, LaTeX.
        columns: how each is aligned, as in ``lrr``.
        head: of each column, LaTeX.
        groups: rows of cells, LaTeX; a rule stands above each group, empty ones are left out.
        label: to refer to it by.
        wide: across both columns of a page, in small letters with narrow gaps.
    """
    kind = "table*" if wide else "table"
    ruled = [[r"\midrule", *map(_row, rows)] for rows in groups if rows]
    lines = [rf"\begin{{{kind}}}", r"\centering", rf"\caption{{{caption}}}"]
    lines += [rf"\label{{{label}}}"] if label else []
    lines += [r"\footnotesize\setlength{\tabcolsep}{4pt}"] if wide else []
    lines += [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", _row(head)]
    lines += [line for group in ruled for line in group]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", rf"\end{{{kind}}}", ""])


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
