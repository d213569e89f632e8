"""What is drawn into both pictures gives no evidence, whatever it is; a scene with nothing drawn keeps all it has."""

from __future__ import annotations

from functools import partial
from itertools import product

import cv2
import numpy as np
import pytest

from pipeline.pairing.registration import overlays, quality
from pipeline.pairing.registration.register import Registration, evaluate, register_pair, register_sequence

from ....conftest import draw_pair
from ..scenes import SIZE, Array, corner_error, pair, similarity
from .drawings import HEIGHT, KINDS, WIDTH, Draw, Pair, Picture, bars, both, clock, drawn, frame

DRAWS = 200
WARP = similarity(1.5, 1.02, 9, -7)


def judged(frames: list[Pair], estimate: str) -> tuple[Registration, float]:
    """What is found, and its score on the first of the frames."""
    if estimate == "pair":
        found = register_pair(*frames[0])
        return found, quality.judge(*frames[0], found).score
    found = register_sequence(frames)
    scored = evaluate(*frames[0], found.homography, found.model, enough=partial(quality.sure, least=0.3))
    return found, quality.judge(*frames[0], scored).score


def draw_of(number: int) -> tuple[list[Pair], Array, str, str]:
    """Frames with a drawing in all of their pictures, the true TIR -> RGB matrix, the kind, and how to estimate."""
    rng = np.random.default_rng(number)
    estimate, kind = list(product(("pair", "sequence"), KINDS))[number % 10]
    warp = similarity(rng.uniform(-3, 3), rng.uniform(0.95, 1.05), *rng.uniform(-15, 15, 2))
    draw, jpeg = KINDS[kind](rng), int(rng.choice([0, 60, 75, 95]))
    count = 1 if estimate == "pair" else 2
    frames = [both(pair(1000 + 10 * number + index, warp), draw, jpeg) for index in range(count)]
    return frames, np.linalg.inv(warp), kind, estimate


def assert_not_silently_wrong(numbers: range) -> None:
    wrong, trusted = [], 0
    for number in numbers:
        frames, truth, kind, estimate = draw_of(number)
        found, score = judged(frames, estimate)
        error = corner_error(found.homography, truth)
        trusted += score > 0.5
        if score > 0.5 and error > 5:
            wrong.append(f"{number} {kind} {estimate}: {error:.1f} px at {score:.2f}")
    assert not wrong
    assert trusted > 0.9 * len(numbers), "a drawing is no reason to give a sound pair up"


def test_no_drawing_of_any_kind_gives_a_wrong_matrix_a_good_score() -> None:
    assert_not_silently_wrong(range(10))


@pytest.mark.slow
def test_no_drawing_out_of_many_gives_a_wrong_matrix_a_good_score() -> None:
    assert_not_silently_wrong(range(10, 10 + DRAWS))


def test_a_drawing_is_found_with_little_around_it_and_nothing_else_is() -> None:
    rng = np.random.default_rng(5)
    plain, draw = pair(3, WARP), frame(rng)
    assert overlays.drawn([plain]) is None
    assert overlays.drawn([(drawn(plain[0], draw), plain[1])]) is None
    assert overlays.drawn([(plain[0], drawn(plain[1], draw))]) is None
    found = overlays.drawn([plain, both(plain, draw)])
    inked = drawn(np.zeros((HEIGHT, WIDTH), np.uint8), draw) != drawn(np.full((HEIGHT, WIDTH), 7, np.uint8), draw)
    assert found is not None and found.shape == (HEIGHT, WIDTH)
    assert found[~inked].all()
    near = cv2.dilate((~inked).astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    assert found[~near].mean() < 0.05


def texts(picture: Picture) -> None:
    for row, column in product(range(5), range(3)):
        text = f"ALT {123 + row}m SPD {7 * row}.{column} HDG {31 * column}"
        at = (6 + 157 * column, 20 + 86 * row)
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255,) * 3, 1, cv2.LINE_AA)


def boxes(picture: Picture) -> None:
    rng = np.random.default_rng(3)
    ink = (255, 0, 0) if picture.ndim == 3 else (255,)
    for _ in range(12):
        (x, y), (w, h) = rng.integers(10, (WIDTH - 110, HEIGHT - 110)), rng.integers(30, 100, 2)
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), ink, 2)


def watermark(picture: Picture, down: int = 90, across: int = 160) -> None:
    over = picture.copy()
    for y, x in product(range(20, HEIGHT + 40, down), range(-30, WIDTH, across)):
        cv2.putText(over, "SAMPLE", (x + y % 60, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255,) * 3, 2, cv2.LINE_AA)
    picture[:] = cv2.addWeighted(over, 0.4, picture, 0.6, 0)


@pytest.mark.parametrize("estimate", ["pair", "sequence"])
@pytest.mark.parametrize("draw", [texts, boxes, watermark])
def test_what_is_drawn_thinly_in_other_values_or_half_transparent_is_told_by_its_edges(
    draw: Draw, estimate: str
) -> None:
    for seed, jpeg in ((3, 0), (5, 85), (7, 85)):
        found, score = judged([both(pair(at, WARP), draw, jpeg) for at in (seed, seed + 1)], estimate)
        assert corner_error(found.homography, np.linalg.inv(WARP)) < 1.5
        assert score > 0.5


@pytest.mark.parametrize("estimate", ["pair", "sequence"])
def test_a_watermark_that_leaves_nothing_of_the_scene_gets_no_score(estimate: str) -> None:
    frames = [both(pair(seed, WARP), lambda picture: watermark(picture, 50, 110)) for seed in (3, 4)]
    assert judged(frames, estimate)[1] < 0.5


@pytest.mark.parametrize("estimate", ["pair", "sequence"])
def test_an_aligned_pair_whose_edges_are_all_equal_is_no_drawing(estimate: str) -> None:
    frames = []
    for seed in (3, 4):
        rgb, _ = pair(seed, np.eye(3))
        folded = np.abs(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.int16) - 100)
        frames.append((rgb, (40 + folded).astype(np.uint8)))
    looked = overlays.look(frames)
    assert looked.sure is None and looked.suspect is not None and looked.suspect.mean() > 0.3
    found, score = judged(frames, estimate)
    assert corner_error(found.homography, np.eye(3)) < 0.5
    assert score > 0.9 and "overlay" not in found.scores


def test_a_strip_that_is_one_row_high_when_looked_at_holds_no_drawing() -> None:
    strip = np.tile(np.arange(2000, dtype=np.uint8), (2, 1))
    assert overlays.look([(cv2.merge([strip] * 3).astype(np.uint8), strip)]) == overlays.Overlays(None, None)


@pytest.mark.parametrize("rows", [SIZE[1], SIZE[1] - 1, SIZE[1] - 2])
def test_strips_of_a_picture_show_what_the_whole_shows(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, tir = pair(3, np.eye(3))
    rgb, tir = (
        rgb[:rows],
        cv2.addWeighted(tir, 0.4, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), 0.6, 0).astype(np.uint8)[:rows],
    )
    stripwise = overlays.look([(rgb, tir)]).suspect
    monkeypatch.setattr(overlays, "_STRIP", 2 * rows)
    whole = overlays.look([(rgb, tir)]).suspect
    assert stripwise is not None and whole is not None
    assert np.array_equal(stripwise, whole)


@pytest.mark.parametrize("across", [-10, 6])
def test_edges_along_which_a_scene_is_shifted_are_no_drawings(across: int) -> None:
    warp = similarity(0, 1, across, 0)
    for seed in range(3):
        rgb, tir = draw_pair(seed, SIZE)
        tir = cv2.warpAffine(tir, warp[:2], SIZE, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
        looked, equal_values = overlays.look([(rgb, tir)]), overlays.drawn([(rgb, tir)])
        assert looked.suspect is None
        assert np.array_equal(np.asarray(looked.sure), np.asarray(equal_values))


def test_few_equal_edges_are_drawn_where_the_rest_fits_elsewhere_and_not_where_it_fits_with_them() -> None:
    def small(picture: Picture) -> None:
        for x, y in product((60, 200, 340), (60, 260)):
            cv2.rectangle(picture, (x, y), (x + 40, y + 30), (255, 0, 0) if picture.ndim == 3 else (255,), 3)

    moved, still = (both(pair(3, warp), small) for warp in (WARP, np.eye(3)))
    for frames in (moved, still):
        looked = overlays.look([frames])
        assert looked.sure is None and looked.suspect is not None
    assert "overlay" not in register_pair(*still).scores
    assert "overlay" not in evaluate(*moved, np.eye(3)).scores
    assert evaluate(*moved, np.linalg.inv(WARP)).scores["overlay"] > 0.02


def test_pictures_of_two_sizes_are_compared_whole_over_whole() -> None:
    rgb, tir = both(pair(3, WARP), bars(np.random.default_rng(1)))
    half = cv2.resize(tir, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    found = register_pair(rgb, half)
    truth = np.linalg.inv(WARP) @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    assert found.scores["overlay"] > 0.2
    assert corner_error(found.homography, truth, (WIDTH // 2, HEIGHT // 2)) < 1


def test_clocks_that_differ_by_a_second_are_one_drawing() -> None:
    rgb, tir = pair(3, WARP)
    rgb, tir = (
        drawn(side, clock(np.random.default_rng(2), f"2023-07-14 12:34:0{second}"))
        for side, second in ((rgb, 7), (tir, 8))
    )
    found = register_pair(rgb, tir)
    assert found.scores["overlay"] > 0.03 and corner_error(found.homography, np.linalg.inv(WARP)) < 1


@pytest.mark.parametrize("warp", [np.eye(3), WARP])
def test_a_sky_that_is_burnt_out_in_both_pictures_costs_no_sound_pair(warp: Array) -> None:
    line = np.arange(-80, WIDTH + 80)
    roofs = np.c_[line, 110 + 20 * np.sin(line / 23) + 25 * (line // 40 % 2)]
    sky = np.r_[[(-80, -200)], roofs, [(WIDTH + 80, -200)]].astype(np.float64)
    rgb, tir = (picture.copy() for picture in pair(3, warp))
    cv2.fillPoly(rgb, [np.rint(sky).astype(np.int32)], (255, 255, 255))
    cv2.fillPoly(tir, [np.rint(cv2.perspectiveTransform(sky[None], warp)[0]).astype(np.int32)], (255,))
    found = register_pair(rgb, tir)
    assert corner_error(found.homography, np.linalg.inv(warp)) < 1
    assert quality.judge(rgb, tir, found).score > 0.5


def test_a_picture_and_its_grey_copy_are_refused_and_the_reason_names_it() -> None:
    rgb, _ = pair(3, WARP)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    verdict = quality.judge(rgb, grey, register_pair(rgb, grey))
    assert verdict.reason == "no_match"
    assert verdict.detail.endswith("% of the thermal picture is drawn into both")


def test_a_drawing_that_takes_much_of_the_picture_is_flagged_and_lowers_the_score() -> None:
    plain = pair(3, WARP)
    framed = both(plain, frame(np.random.default_rng(5)))
    before, after = (quality.judge(*frames, register_pair(*frames)) for frames in (plain, framed))
    assert before.flags == () and after.flags == ("overlay",)
    assert after.score < before.score


def test_a_bright_frame_around_dark_scenes_does_not_make_them_copies() -> None:
    rgb, tir = ((picture * 0.3).astype(np.uint8) for picture in pair(3, WARP))
    draw = frame(np.random.default_rng(5))
    bright = both((rgb, tir), draw)
    grey = cv2.cvtColor(bright[0], cv2.COLOR_RGB2GRAY)
    assert np.corrcoef(grey.ravel(), bright[1].ravel())[0, 1] > quality.SAME_CORRELATION
    assert quality.inspect(*bright) is None
    copy = quality.inspect(bright[0], grey.astype(np.uint8))
    assert copy is not None and copy.reason == "same_image"
