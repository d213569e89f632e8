"""What the class numbers and names of a file of boxes are in shards: settled once, on all its boxes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.detect.classes import COCO_CLASS, COCO_NAMES, numbered_names, plain_name
from pipeline.errors import DataError, UsageError

ClassIds = Literal["coco", "index"]
"""Class numbers without names: COCO's category ids 1 to 90, or 0 to 79 as YOLO counts."""


@dataclass(frozen=True)
class ClassNumbers:
    """How the classes of a file become those of shards.

    Attributes:
        of: number or name in the file -> class in shards.
        names: those of classes that COCO does not have.
        recorded: what shards note of it, where it is not what version 0.1 did.
    """

    of: dict[int | str, int]
    names: dict[int, str]
    recorded: dict[str, object]


def settle(
    where: object,
    seen: Collection[int | str],
    categories: Mapping[int, str],
    numbered: Literal["index", "unknown"],
    told: ClassIds | None,
) -> ClassNumbers:
    """Settle what the classes of a file are.

    Args:
        where: the file or folder, for messages.
        seen: all numbers and names of its boxes; -1 for none.
        categories: number -> name, where it says.
        numbered: how numbers are meant that have no name.
        told: what the user says of them.

    Raises:
        DataError: numbers without a name can be read in two ways, or not as told.
        UsageError: ``told`` says something of numbers that have names.
    """
    numbers = {each for each in seen if isinstance(each, int) and each >= 0}
    texts = {each for each in seen if isinstance(each, str)}
    if told and (categories or texts):
        raise UsageError(f"--class-ids {told}: {where} names its classes: leave it out")
    number_of = numbered_names(texts.union(categories.values()))
    names = {number: plain_name(name) for name, number in number_of.items() if number >= len(COCO_NAMES)}
    of: dict[int | str, int] = {-1: -1} | {name: number_of[name] for name in texts}
    recorded: dict[str, object] = {"class_names": {str(n): names[n] for n in sorted(names)}} if names else {}
    if categories:
        if nameless := numbers - categories.keys():
            raise DataError(
                f"{where}: class {min(nameless)} has no name: it names {len(categories)}, from {min(categories)} to "
                f"{max(categories)}: mend its list of names"
            )
        by_name: dict[int | str, int] = {number: number_of[name] for number, name in categories.items()}
        of |= by_name
        if any(number != own for number, own in by_name.items()) and not by_name.items() <= COCO_CLASS.items():
            recorded["classes_by_name"] = True
        return ClassNumbers(of, names, recorded)
    ids = told or _reading(where, numbers, numbered)
    of |= _read(where, numbers, ids)
    return ClassNumbers(of, names, recorded | ({"class_ids": "coco"} if ids == "coco" else {}))


def like_coco(seen: Collection[int | str], categories: Mapping[int, str]) -> int | None:
    """The largest of nameless numbers that would all be category ids of COCO and are not all classes 0 to 79."""
    numbers = {each for each in seen if isinstance(each, int) and each >= 0}
    largest = max(numbers, default=0)
    return largest if not categories and numbers <= COCO_CLASS.keys() and largest >= len(COCO_NAMES) else None


def _reading(where: object, numbers: Collection[int], numbered: Literal["index", "unknown"]) -> ClassIds:
    """What numbers without names are: as the format defines them, or as one that only one reading has tells."""
    if numbered == "index" or not numbers or not COCO_CLASS.keys() >= set(numbers):
        return "index"
    if max(numbers) >= len(COCO_NAMES):
        return "coco"
    shown = sorted(numbers)[:3]
    coco, index = (", ".join(f"{n} is {COCO_NAMES[of(n)]}" for n in shown) for of in (COCO_CLASS.__getitem__, int))
    raise DataError(
        f"{where}: classes without names can be read in two ways: with --class-ids coco {coco}; with --class-ids index "
        f"{index}: say which"
    )


def _read(where: object, numbers: Collection[int], ids: ClassIds) -> dict[int | str, int]:
    """Number in the file -> class, under one reading.

    Raises:
        DataError: the reading does not have a number.
    """
    if ids == "index":
        return {number: number for number in numbers}
    if strange := set(numbers) - COCO_CLASS.keys():
        raise DataError(f"{where}: COCO has no category {min(strange)}: say --class-ids index")
    return {number: COCO_CLASS[number] for number in numbers}
