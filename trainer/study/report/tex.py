"""``report.tex``: the differences as a table for a paper, with the rules of the booktabs package."""

from __future__ import annotations

import re

from trainer.study.judge.scores import A1
from trainer.study.judge.words import signed
from trainer.study.report.material import Material, arm_of, paper_gain

_SPECIAL = re.compile(r"([&%$#_{}])")


def write_tex(material: Material) -> str:
    """The table as LaTeX; its verdict stands in the caption."""
    lines = []
    for each in material.models():
        arm, gain, paper = arm_of(each), each["gain"], paper_gain(arm_of(each))
        words = [escaped(arm.name), f"{each['mean']['value']:.3f}"]
        if arm == A1 or gain is None:
            words += ["--", "--"]
        else:
            bounds = "--" if gain["low"] is None else f"$[{_sign(gain['low'])},\\,{_sign(gain['high'])}]$"
            words += [f"${_sign(gain['value'])}$", bounds]
        lines.append(" & ".join([*words, "--" if paper is None else f"${_sign(paper)}$"]) + r" \\")
    verdict = material.verdicts["d3"]
    caption = f"{material.found['deciding']} on {material.found['sequences']} sequences. Verdict: {verdict['sentence']}"
    return "\n".join(
        [
            r"% \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(caption)}}}",
            r"\begin{tabular}{lrrrr}",
            r"\toprule",
            r"model & IoU & $-$ a1 & 95\,\% interval & paper, success \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Text as LaTeX sets it."""
    plain = text.replace("\\", r"\textbackslash ")
    plain = _SPECIAL.sub(r"\\\1", plain).replace("~", r"\textasciitilde ").replace("^", r"\textasciicircum ")
    return plain.replace("−", "$-$").replace("–", "--").replace("±", r"$\pm$")


def _sign(value: float) -> str:
    return signed(value).replace("−", "-")
