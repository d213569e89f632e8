"""``report.tex``: the differences as a table for a paper."""

from __future__ import annotations

from pipeline.pages import latex
from trainer.study.judge.scores import A1
from trainer.study.judge.words import signed
from trainer.study.report.material import Material, arm_of, paper_gain


def write_tex(material: Material) -> str:
    """The table as LaTeX; its verdict stands in the caption."""
    rows = []
    for each in material.models():
        arm, gain, paper = arm_of(each), each["gain"], paper_gain(arm_of(each))
        cells = [latex.plain(arm.name), f"{each['mean']['value']:.3f}"]
        if arm == A1 or gain is None:
            cells += ["--", "--"]
        else:
            bounds = "--" if gain["low"] is None else f"$[{_sign(gain['low'])},\\,{_sign(gain['high'])}]$"
            cells += [f"${_sign(gain['value'])}$", bounds]
        rows.append([*cells, "--" if paper is None else f"${_sign(paper)}$"])
    verdict = material.verdicts["d3"]
    caption = f"{material.found['deciding']} on {material.found['sequences']} sequences. Verdict: {verdict['sentence']}"
    head = ("model", "IoU", "$-$ a1", r"95\,\% interval", "paper, success")
    return f"{latex.PACKAGES}\n{latex.table(latex.plain(caption), 'lrrrr', head, [rows])}"


def _sign(value: float) -> str:
    return signed(value).replace("−", "-")
