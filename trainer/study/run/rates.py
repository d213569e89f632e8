"""``rates/CONTROL.json``: the rate that a control was given by the choice on scenes apart."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import DataError
from pipeline.files.json_text import read_json, write_json
from trainer.study.plan.run import TRUE

RATES = "rates"
_KEY = "rate_scale"
_PLACE = re.compile(r"\{rate:([a-z0-9-]+)\}")


def rate_of(study: Path, control: str) -> float:
    """The chosen ``rate_scale`` of a control; of true pairs it is called ``true``.

    Raises:
        DataError: none has been chosen.
    """
    path = study / RATES / f"{control or TRUE}.json"
    rate = read_json(path).get(_KEY)
    if not isinstance(rate, int | float):
        raise DataError(f"{path}: {_KEY} is {rate!r}, not a number: remove the file, and it is chosen again")
    return float(rate)


def write_rate(study: Path, control: str, rate: float) -> None:
    """Write down what was chosen."""
    (study / RATES).mkdir(exist_ok=True)
    write_json(study / RATES / f"{control or TRUE}.json", {_KEY: rate})


def filled(word: str, study: Path) -> str:
    """A word of a command with what is known only when it starts: chosen rates."""
    return _PLACE.sub(lambda found: f"{rate_of(study, found[1]):g}", word)
