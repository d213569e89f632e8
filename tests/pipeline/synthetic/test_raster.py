import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.synthetic.optics.camera import SCALE, View
from pipeline.synthetic.optics.heat import ZERO, Climate
from pipeline.synthetic.optics.light import Light
from pipeline.synthetic.optics.raster import Look, Pose, ball, draw, paste

VIEW = View((320, 256), 300.0, 120.0, 1.7, (20, 20))
LOOK = Look((1.0, 1.0, 1.0), Climate(True, ZERO + 10, ZERO - 20), Light.night(()), 0.0, np.zeros((4, 4), np.float32))


@settings(max_examples=40, deadline=None)
# Whatever else is drawn, the largest ball at the shortest distance lies whole within the panorama.
@given(x=st.floats(-2, 2), z=st.floats(6, 40), radius=st.floats(0.2, 1.0), up=st.floats(0.5, 2.0))
def test_a_ball_has_the_box_that_perspective_gives(x: float, z: float, radius: float, up: float) -> None:
    sprite = draw([ball([(0, 0, up)], [radius], (0.5, 0.5, 0.5), "cloth")], Pose(x, z, 0.3), VIEW, LOOK)
    assert sprite is not None
    centre = VIEW.project(np.array([x, up, z]))
    reach = radius * SCALE * VIEW.focal / z
    expected = (*(centre - reach), *(centre + reach))
    assert sprite.box == pytest.approx(expected, abs=1.0)
    assert sprite.alpha.sum() == pytest.approx(np.pi * reach**2, rel=0.1, abs=2.5 * np.pi * reach)


def test_ground_and_project_are_inverse() -> None:
    row, column = np.array([400.0, 500.0]), np.array([100.0, 600.0])
    x, z = VIEW.ground(row, column)
    flat = VIEW.project(np.stack([x, np.zeros(2), z], axis=-1))
    assert flat == pytest.approx(np.stack([column, row], axis=-1) + 0.5)


def test_paste_blends_by_alpha_and_respects_what_is_seen() -> None:
    sprite = draw([ball([(0, 0, 1)], [0.5], (0.5, 0.5, 0.5), "skin")], Pose(0, 10, 0), VIEW, LOOK)
    assert sprite is not None
    width, height = VIEW.panorama
    canvas = np.full((height, width, 4), 280, np.float32)
    hidden = canvas.copy()
    paste(hidden, sprite, seen=np.zeros_like(sprite.alpha))
    assert np.array_equal(hidden, canvas)
    paste(canvas, sprite)
    column, row = VIEW.project(np.array([0.0, 1.0, 10.0])).astype(int)
    assert canvas[row, column, 3] > 300
    assert (canvas[0, 0] == 280).all()


def test_behind_the_camera_there_is_nothing() -> None:
    assert draw([ball([(0, 0, 1)], [0.5], (0.5, 0.5, 0.5), "skin")], Pose(0, 0.5, 0), VIEW, LOOK) is None


def test_what_passes_close_by_is_cut_at_the_panorama_and_known_to_be() -> None:
    wall = [ball([(0, -4, 0), (0, 4, 0), (0, 4, 3), (0, -4, 3)], [0.1] * 4, (0.5, 0.5, 0.5), "plaster")]
    sprite = draw(wall, Pose(0, 2.5, np.pi / 2), VIEW, LOOK)
    assert sprite is not None
    assert sprite.alpha.shape[1] <= VIEW.panorama[0]
    assert sprite.box[0] < 0 and sprite.box[2] > VIEW.panorama[0]
    assert 0 < sprite.share < 0.8
