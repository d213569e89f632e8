"""The moments at which trackers differ, and the strips that show them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.errors import DataError
from trainer.evaluate.moments import Moment, by_sequence, differing_moments
from trainer.evaluate.report.plots import styles
from trainer.evaluate.report.strips import PANELS, TRUTH_STYLE, draw_strip
from trainer.evaluate.score_trackers import Evaluation, evaluate
from trainer.sequences.layout import find_pictures

from ..conftest import SEQUENCES, World


def measured(world: World, *names: str) -> Evaluation:
    return evaluate(world.dataset, world.folder("truth"), [(name, world.folder(name)) for name in names], None)


def test_the_frames_where_one_has_lost_the_target_are_found(world: World) -> None:
    evaluation = measured(world, "near", "lost")
    near, lost = evaluation.trackers
    found = differing_moments(evaluation, near, lost, most=2)
    better = [moment for moment in found if moment.first > moment.second]
    assert len(better) == 2
    for moment in better:
        assert moment.frame > SEQUENCES[moment.sequence] // 2
        assert moment.second == 0
    worse = [moment for moment in found if moment.first < moment.second]
    assert [moment.first > moment.second for moment in found] == [True, False, True, False], "in turn"
    assert next(iter(by_sequence(found))) == better[0].sequence
    assert all(moment.frame <= SEQUENCES[moment.sequence] // 2 and moment.second == 1 for moment in worse)
    assert {(m.sequence, m.frame) for m in differing_moments(evaluation, lost, near, most=2)} == {
        (m.sequence, m.frame) for m in found
    }


def test_one_tracker_is_compared_with_the_truth_and_equal_ones_never_differ(world: World) -> None:
    evaluation = measured(world, "lost", "perfect")
    lost, perfect = evaluation.trackers
    assert {moment.sequence for moment in differing_moments(evaluation, lost, None)} == set(SEQUENCES)
    assert differing_moments(evaluation, perfect, None) == []
    assert differing_moments(evaluation, perfect, perfect) == []


def test_a_frame_is_numbered_from_the_start_of_the_sequence(world: World) -> None:
    truth = world.truth["car_V_001"].copy()
    truth[:10, 0] = 0
    world.truth["car_V_001"] = truth
    world.add("truth", lambda boxes: boxes)
    evaluation = measured(world, "lost")
    found = differing_moments(evaluation, evaluation.trackers[0], None)
    assert next(moment for moment in found if moment.sequence == "car_V_001").frame > 15


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_strip_shows_the_moment_with_every_box(world: World, depth: type[np.generic]) -> None:
    evaluation = measured(world, "near", "lost")
    (moment, *_) = differing_moments(evaluation, *evaluation.trackers)
    other = Moment(moment.sequence, moment.frame - 1, 0.25, 0.5)
    folder = world.root / "pictures" / moment.sequence / "img"
    folder.mkdir(parents=True)
    for frame in range(SEQUENCES[moment.sequence]):
        picture = np.full((120, 160), 7 + frame, depth)
        picture[0, 0] = 200
        (folder / f"{frame + 1}.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    pictures = find_pictures(world.root / "pictures", evaluation.benchmark.manifest.frames, moment.sequence)
    assert [path.stem for path in pictures] == [str(n + 1) for n in range(len(pictures))], "natural order"
    how = (evaluation, evaluation.trackers, styles(evaluation.trackers))
    drawn = draw_strip(*how, [moment, other], ("near", "lost"), pictures)
    assert len(drawn.axes) == PANELS
    framed = [axes.texts[0].get_text() for axes in drawn.axes if axes.spines["left"].get_visible()]
    assert framed == [f"#{other.frame}", f"#{moment.frame}"]
    told = f"#{other.frame} near 0.25, lost 0.50; #{moment.frame} near {moment.first:.2f}, lost {moment.second:.2f}"
    assert drawn.get_suptitle() == f"{moment.sequence}, overlaps: {told}"
    for axes in drawn.axes:
        assert len(axes.patches) == 3
        truth, *others = (patch.get_linewidth() for patch in axes.patches)
        assert truth > max(others)
    texts = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert texts == ["truth", "near", "lost"]
    assert TRUTH_STYLE.colour not in {look.colour for look in styles(evaluation.trackers).values()}
    pictures[0].write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1\.png"):
        draw_strip(*how, [moment], ("near", "lost"), pictures)
    assert find_pictures(world.root, ("{sequence}/img",), "nowhere") == []


def test_a_strip_of_a_teacher_on_visible_pictures_is_in_colour(world: World) -> None:
    evaluation = measured(world, "near", "lost")
    (moment, *_) = differing_moments(evaluation, *evaluation.trackers)
    path = world.root / "visible.png"
    path.write_bytes(cv2.imencode(".png", np.full((120, 160, 3), (10, 60, 200), np.uint8))[1].tobytes())
    pictures = [path] * SEQUENCES[moment.sequence]
    drawn = draw_strip(evaluation, evaluation.trackers, styles(evaluation.trackers), [moment], ("near",), pictures)
    for axes in drawn.axes:
        (image,) = axes.images
        assert np.asarray(image.get_array())[60, 80].tolist() == [200, 60, 10]
