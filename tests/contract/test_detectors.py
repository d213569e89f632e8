"""What every detector must keep to, whoever wrote it; see ``detector_stand_ins`` for how each is built."""

from __future__ import annotations

import pickle
import tomllib
from pathlib import Path

import numpy as np
import pytest

from pipeline import detect
from pipeline.detect import Detections, Detector, DetectorSpec, build_detector
from pipeline.detect.base import extra
from pipeline.detect.classes import class_name
from pipeline.errors import CmdTirError, DataError, UsageError
from pipeline.files.hashing import file_sha256
from pipeline.images import Rgb
from pipeline.registries import DETECTORS

from ..conftest import REPOSITORY, draw_pair
from .detector_stand_ins import PAIRS, STAND_INS

SIZES = ((160, 128), (97, 64), (64, 97), (160, 128))


@pytest.fixture(scope="module", params=[*DETECTORS])
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DetectorSpec:
    """A detector of the registry."""
    assert request.param in STAND_INS, "say in detector_stand_ins how the tests build it"
    return STAND_INS[request.param](tmp_path_factory.mktemp("detector"))


@pytest.fixture(scope="module")
def detector(spec: DetectorSpec) -> Detector:
    return fresh(spec)


@pytest.fixture(scope="module")
def pictures() -> list[Rgb]:
    """Pictures of several sizes."""
    return [draw_pair(number, size)[0] for number, size in enumerate(SIZES)]


def fresh(spec: DetectorSpec) -> Detector:
    detect._built.cache_clear()
    return build_detector(spec)


def skip_without_a_file(spec: DetectorSpec) -> None:
    if spec.weights is None and spec.detections is None:
        pytest.skip("it reads no file")


def content(detections: Detections) -> tuple[list[object], ...]:
    return detections.boxes.tolist(), detections.scores.tolist(), detections.classes.tolist()


def test_boxes_lie_in_their_picture_and_have_the_types_that_shards_store(
    detector: Detector, spec: DetectorSpec, pictures: list[Rgb]
) -> None:
    detected = detector.detect(pictures, PAIRS)
    assert len(detected) == len(pictures)
    assert sum(map(len, detected)) > 0, "a stand-in that finds nothing tests nothing"
    for each, (width, height) in zip(detected, SIZES):
        assert each.boxes.shape == (len(each), 4)
        assert each.scores.shape == each.classes.shape == (len(each),)
        assert [array.dtype.name for array in (each.boxes, each.scores, each.classes)] == [
            "float64",
            "float32",
            "int16",
        ]
        assert np.isfinite(each.boxes).all()
        assert (each.boxes[:, 2:] > 0).all()
        assert (each.boxes[:, :2] >= 0).all()
        assert (each.boxes[:, :2] + each.boxes[:, 2:] <= (width, height)).all()
        assert ((each.scores >= spec.confidence) & (each.scores <= 1)).all()
        assert (each.classes >= -1).all()
        assert all(class_name(int(category), {}) for category in each.classes)


def test_no_pictures_are_no_detections(detector: Detector) -> None:
    assert detector.detect([], []) == []


def test_a_pictures_boxes_depend_on_the_picture_alone(detector: Detector, pictures: list[Rgb]) -> None:
    together = [content(each) for each in detector.detect(pictures, PAIRS)]
    assert [content(each) for each in detector.detect(pictures, PAIRS)] == together, "it is not deterministic"
    backwards = detector.detect(pictures[::-1], PAIRS[::-1])[::-1]
    alone = [detector.detect([picture], [pair])[0] for picture, pair in zip(pictures, PAIRS)]
    assert [content(each) for each in backwards] == together
    assert [content(each) for each in alone] == together


def test_equal_settings_build_equal_detectors_in_any_process(
    detector: Detector, spec: DetectorSpec, pictures: list[Rgb]
) -> None:
    again = fresh(pickle.loads(pickle.dumps(spec)))
    assert [content(a) for a in again.detect(pictures, PAIRS)] == [content(b) for b in detector.detect(pictures, PAIRS)]


def test_pictures_are_read_and_never_written(detector: Detector, pictures: list[Rgb]) -> None:
    picture = pictures[0].copy()
    picture.flags.writeable = False
    plain = content(detector.detect([picture], PAIRS[:1])[0])
    assert np.array_equal(picture, pictures[0])
    turned = np.asfortranarray(picture)
    assert content(detector.detect([turned], PAIRS[:1])[0]) == plain


def test_it_says_how_many_pictures_it_takes_and_which_weights_it_has(detector: Detector, spec: DetectorSpec) -> None:
    assert detector.batch_size >= 1
    known = spec.weights is not None and spec.weights.is_file()
    assert detector.weights_sha256 == (file_sha256(spec.weights) if known and spec.weights else "")


@pytest.mark.parametrize("content", [b"", b"nothing that can be read\n"])
def test_a_damaged_file_is_one_line_that_names_it(spec: DetectorSpec, tmp_path: Path, content: bytes) -> None:
    skip_without_a_file(spec)
    field = "detections" if spec.detections else "weights"
    given = getattr(spec, field)
    path = tmp_path / f"damaged{given.suffix}"
    path.write_bytes(content)
    if content or field == "weights":
        with pytest.raises(DataError) as caught:
            fresh(spec.model_copy(update={field: path})).detect([np.zeros((64, 64, 3), np.uint8)], ["a/0"])
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line_that_says_what_to_pass(spec: DetectorSpec, tmp_path: Path) -> None:
    skip_without_a_file(spec)
    for path, told in ((tmp_path / "gone.pt", str(tmp_path / "gone.pt")), (None, "--")):
        with pytest.raises(UsageError) as caught:
            fresh(spec.model_copy(update={"weights": path, "detections": path}))
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_it_needs_is_an_extra_of_its_name_or_comes_with_the_package(spec: DetectorSpec) -> None:
    module = Path(DETECTORS.load(spec.name).__code__.co_filename)
    # A detector with a room of its own may import its libraries in any module there.
    files = module.parent.glob("*.py") if module.parent.name == spec.name else [module]
    source = "".join(path.read_text() for path in files)
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert ("extra(" in source) == (spec.name in extras)
    assert f"cmd-tir[{spec.name}]" in extra(spec.name)


def test_something_that_is_no_detector_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DETECTORS.paths, "dict", "builtins:dict")
    with pytest.raises(CmdTirError, match="detector dict: what it builds has no detect, no weights_sha256"):
        fresh(DetectorSpec(name="dict"))
