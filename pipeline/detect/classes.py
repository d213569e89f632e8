"""COCO's classes: the one table that makes a class number mean the same thing whichever detector wrote it.

Shards use 0 to 79, as YOLO and detectron2 do, and numbers from 80 on for classes that COCO does not have. COCO's
annotation files and torchvision use the published category ids, 1 to 90 with ten never used (Lin et al., ECCV 2014).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pipeline.errors import UsageError, did_you_mean, some

COCO_NAMES = tuple(
    """person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,
    bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,
    snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,
    fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,
    potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,
    refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush""".replace("\n    ", "").split(",")
)
"""Name of class 0 to 79."""

UNUSED_IDS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""Category ids from 1 to 90 that COCO never gave to a box."""

COCO_CLASS = {category: index for index, category in enumerate(sorted(set(range(1, 91)) - UNUSED_IDS))}
"""COCO category id (1 to 90) -> class (0 to 79)."""

_VOC = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
}
_VOC |= {"sofa": "couch", "tvmonitor": "tv"}
"""What Pascal VOC calls COCO's classes."""
_MEANT = {"people": "person", "pedestrian": "person", "human": "person", "bike": "bicycle", "vehicle": "car"}
"""Words that are asked for where COCO has another: offered, never taken for it, since KAIST's labels know both."""
_NUMBERS = {name: number for number, name in enumerate(COCO_NAMES)}


def plain_name(name: str) -> str:
    """A class's name in lower case, with spaces between words, by COCO's word where VOC has another."""
    name = " ".join(name.casefold().replace("_", " ").split())
    return _VOC.get(name, name)


def class_number(name: str) -> int | None:
    """COCO's class 0 to 79 of that name; None where it has none."""
    return _NUMBERS.get(plain_name(name))


NO_CLASS, NO_DETECTION = "no class", "no detection: random patch"
"""What patches of class -1 are called."""


def class_name(number: int, names: Mapping[int, str]) -> str:
    """The name of a class in shards: ``no class`` for -1, a number where no name is known.

    Args:
        number: of the class.
        names: those that are not COCO's.
    """
    if number < 0:
        return NO_CLASS
    known = names.get(number) or (COCO_NAMES[number] if number < len(COCO_NAMES) else "")
    return known or f"class {number}"


def counts_by_name(counts: Mapping[str, int], names: Mapping[int, str], fallbacks: int = 0) -> dict[str, int]:
    """How often by class number, as text -> how often by the class's name and number, in the order of the numbers.

    Args:
        counts: patches by class.
        names: as in :func:`class_name`.
        fallbacks: of the patches without a class, how many are random ones in place of a detection.
    """
    told: dict[str, int] = {}
    for number in sorted(map(int, counts)):
        count, name = counts[str(number)], class_name(number, names)
        if number < 0:
            random = min(fallbacks, count)
            told |= {each: some for each, some in ((NO_DETECTION, random), (name, count - random)) if some}
        else:
            told[numbered(number, names)] = count
    return told


def numbered(number: int, names: Mapping[int, str]) -> str:
    """The name of a class with its number, as in ``person (0)``; arguments as of :func:`class_name`."""
    name = class_name(number, names)
    return name if name == f"class {number}" else f"{name} ({number})"


def parse_class(word: int | str) -> int | str:
    """A class as it is typed: its number, or COCO's number for its name, or another name as it is."""
    text = str(word).strip()
    if text.lstrip("-").isdecimal():
        return int(text)
    number = class_number(text)
    return plain_name(text) if number is None else number


def wanted_classes(classes: Collection[int | str], names: Mapping[int, str]) -> frozenset[int]:
    """The numbers of classes that are named or numbered.

    Raises:
        UsageError: no class has such a name.
    """
    numbers = {name: number for number, name in names.items()}
    for each in classes:
        if isinstance(each, str) and each not in numbers:
            meant = _MEANT.get(each)
            hint = f"did you mean {meant}? " if meant else did_you_mean(each, [*numbers, *COCO_NAMES])
            own = [name for name in numbers if name not in _NUMBERS]
            others = f"beside COCO's there are {', '.join(own)}" if own else f"name one of COCO's: {some(COCO_NAMES)}"
            raise UsageError(f"--classes {each}: no class is called so: {hint}{others}")
    return frozenset(each if isinstance(each, int) else numbers[each] for each in classes)


def by_names(names: Mapping[int, str]) -> tuple[dict[int, int], dict[int, str]]:
    """A model's classes, number -> name, as those of shards: its number -> class, and class -> name."""
    numbers = numbered_names(names.values())
    return (
        {number: numbers[name] for number, name in names.items()},
        {numbers[name]: plain_name(name) for name in names.values()},
    )


def names_beyond_coco(names: Mapping[int, str]) -> dict[int, str]:
    """Of class -> name those that COCO does not have."""
    return {number: name for number, name in names.items() if number >= len(COCO_NAMES)}


def numbered_names(names: Iterable[str]) -> dict[str, int]:
    """The class of each name: COCO's where it has one, else from 80 on in the order of the alphabet."""
    plain = {name: plain_name(name) for name in names}
    own = sorted({name for name in plain.values() if name not in _NUMBERS})
    numbers = _NUMBERS | {name: len(COCO_NAMES) + rank for rank, name in enumerate(own)}
    return {name: numbers[known] for name, known in plain.items()}
